/** The template that escapes: strings from records stay inert wherever a page inserts them. */
import { assertEquals, assertThrows } from "@std/assert";
import { attributes, html } from "../../../src/web/dashboard/html.ts";

const HOSTILE = `<script>alert(1)</script>"'&<!--`;
const ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;&lt;!--";

Deno.test("html escapes a string in content and in an attribute", () => {
  assertEquals(html`<p title="${HOSTILE}">${HOSTILE}</p>`.text, `<p title="${ESCAPED}">${ESCAPED}</p>`);
});

Deno.test("html inserts its own pieces and arrays of them once, and nothing for null, undefined and booleans", () => {
  const rows = ["a<", "b"].map((name) => html`<li>${name}</li>`);
  assertEquals(
    html`<ul>${rows}${null}${undefined}${false}${true}${0}${["<", [html`<b>`]]}</ul>`.text,
    "<ul><li>a&lt;</li><li>b</li>0&lt;<b></ul>",
  );
});

Deno.test("html makes control characters, overrides of direction, NUL and half surrogates visible, and keeps line breaks", () => {
  assertEquals(
    html`${"\x1b[2J\u0000\u202eevil\ud800 \r\n\tčeština 🚀 عربى"}`.text,
    "\\u001b[2J\\u0000\\u202eevil\\ud800 \\u000d\n\tčeština 🚀 عربى",
  );
});

Deno.test("html refuses a value in a tag outside of quotes, in a script and in a style", () => {
  for (
    const make of [
      () => html`<a href=${"x"}>`,
      () => html`<a ${"onclick=alert(1)"}>`,
      () => html`<a title="${"x"}" ${html`x`}>`,
      () => html`<a href='${"x"}'>`,
      () => html`<p>${attributes({ title: "x" })}</p>`,
      () => html`<script>${"x"}</script>`,
      () => html`<style>a {} ${"x"}</style>`,
    ]
  ) {
    assertThrows(make, TypeError);
    assertThrows(make, TypeError, undefined, "at its second use as well");
  }
});

Deno.test("attributes() quotes and escapes values, and leaves out those that are not set", () => {
  const made = attributes({ name: HOSTILE, checked: true, disabled: false, title: null, lang: undefined, max: 3 });
  assertEquals(html`<input${made}>`.text, `<input name="${ESCAPED}" checked max="3">`);
  assertThrows(() => attributes({ "x onclick": "y" }), TypeError);
});
