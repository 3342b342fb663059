/** URLs of pages: relative or below a path, with queries that a server reads as they were given. */
import { assertEquals } from "@std/assert";
import { linksFrom, stripBasePath } from "../../../src/web/dashboard/links.ts";

Deno.test("links are relative to the depth of the page, or absolute below basePath", () => {
  assertEquals(linksFrom("", undefined)("topics/a"), "./topics/a");
  assertEquals(linksFrom("about", undefined)(""), "./");
  assertEquals(linksFrom("topics/a/records", undefined)("about"), "../../about");
  assertEquals(linksFrom("topics/a", "/jobs")("about"), "/jobs/about");
  assertEquals(linksFrom("topics/a", "")("about"), "/about");
});

Deno.test("the query of a link is read as it was given, without absent values", () => {
  const values = { a: "b&c=d", "<é>": "100 % +#?", half: "x\ud800", n: 7, empty: "", none: null, no: undefined };
  const link = linksFrom("", undefined)("about", values);
  assertEquals(Object.fromEntries(new URL(link, "http://jobs.test").searchParams), {
    a: "b&c=d",
    "<é>": "100 % +#?",
    half: "x\ufffd",
    n: "7",
    empty: "",
  });
});

Deno.test("stripBasePath() takes off the base path where it is there, as a whole", () => {
  assertEquals(stripBasePath("/jobs/about", "/jobs"), "about");
  assertEquals(stripBasePath("/jobs", "/jobs"), "");
  assertEquals(stripBasePath("/about", "/jobs"), "about");
  assertEquals(stripBasePath("/jobsite", "/jobs"), "jobsite");
  assertEquals(stripBasePath("/about", undefined), "about");
});
