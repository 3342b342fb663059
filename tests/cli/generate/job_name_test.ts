/** Spellings of a job's name, and strings that are not names. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/cli/command.ts";
import { parseJobName } from "../../../src/cli/generate/job_name.ts";

Deno.test("parseJobName() returns the same for each spelling of a name, and never doubles the suffix", () => {
  const refresh = { path: "refresh_job", className: "RefreshJob", jobName: "RefreshJob", localName: "RefreshJob" };
  for (const name of ["refresh", "Refresh", "refresh_job", "refresh-job", "RefreshJob", "refresh_job_job"]) {
    assertEquals(parseJobName(name), refresh, name);
  }
  const nested = {
    path: "admin/refresh_job",
    className: "RefreshJob",
    jobName: "Admin::RefreshJob",
    localName: "AdminRefreshJob",
  };
  for (const name of ["admin/refresh", "admin/refresh-job", "Admin::RefreshJob", "Admin::Refresh", "admin::refresh"]) {
    assertEquals(parseJobName(name), nested, name);
  }
});

Deno.test("parseJobName() splits words at capitals, dashes and underscores", () => {
  const paths = {
    HTTPRefresh: "http_refresh_job",
    sendWelcomeMail: "send_welcome_mail_job",
    "my-app/V2/sync_all": "my_app/v2/sync_all_job",
    refresh2: "refresh2_job",
    job_stats: "job_stats_job",
    // With the suffix no name is a reserved word.
    import: "import_job",
    class: "class_job",
    constructor: "constructor_job",
  };
  for (const [name, path] of Object.entries(paths)) assertEquals(parseJobName(name).path, path);
  assertEquals(parseJobName("my-app/V2/sync_all").jobName, "MyApp::V2::SyncAllJob");
  assertEquals(parseJobName("HTTPRefresh").className, "HttpRefreshJob");
});

Deno.test("parseJobName() throws an error with the reason for a string that is not a name", () => {
  const wrong = {
    "": '"Admin::RefreshJob", but it is ""',
    Job: 'it is "Job": it is the suffix alone',
    "admin/job_job": "it is the suffix alone",
    "../x": 'it is "../x": a job stays within jobs/',
    "admin/../../x": "a job stays within jobs/",
    "/etc/x": 'it is "/etc/x": a part of it is empty',
    "admin/": "a part of it is empty",
    "Admin:::X": '":X" is not allowed',
    "admin\\refresh": 'folders are separated by "/"',
    "C:\\refresh": 'folders are separated by "/"',
    "9lives": '"9lives" begins with a digit',
    "admin/9lives": '"9lives" begins with a digit',
    "a b": 'but it is "a b"',
    "x.ts": 'but it is "x.ts"',
    "./x": '"." is not allowed',
    _x: 'but it is "_x"',
    x__y: 'but it is "x__y"',
    __proto__: "but it is",
    größe: 'but it is "größe"',
    "x\u0000": "but it is",
    "x\n": "but it is",
    [`a/${"x".repeat(41)}`]: "has more than 40 characters",
    [Array(60).fill("a").join("/")]: "it has 119 characters, 100 are allowed",
  };
  for (const [name, reason] of Object.entries(wrong)) {
    const { message } = assertThrows(() => parseJobName(name), UsageError);
    assert(message.startsWith("A job's name must be words of letters and digits, such as "), message);
    assertStringIncludes(message, reason);
  }
});
