/**
 * Adding jobs to a `jobs/mod.ts` that was edited by hand: nothing is lost, and a file that cannot be parsed is not
 * changed.
 */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CommandError } from "../../../src/cli/command.ts";
import { addToJobList } from "../../../src/cli/generate/job_list.ts";
import { parseJobName } from "../../../src/cli/generate/job_name.ts";
import { formatEmptyJobList } from "../../../src/cli/generate/templates.ts";

const list = (module: string, name: string) => addToJobList(module, parseJobName(name));

Deno.test("addToJobList() keeps imports and entries sorted, in whatever order jobs are generated", () => {
  const names = ["welcome", "admin/refresh", "refresh", "zoo/refresh", "admin/audit"];
  const expected = [
    "// Every job of this project. `generate job` adds to it.",
    'import type { JobClass } from "@activejob/kafka";',
    'import { AuditJob as AdminAuditJob } from "./admin/audit_job.ts";',
    'import { RefreshJob as AdminRefreshJob } from "./admin/refresh_job.ts";',
    'import { RefreshJob } from "./refresh_job.ts";',
    'import { WelcomeJob } from "./welcome_job.ts";',
    'import { RefreshJob as ZooRefreshJob } from "./zoo/refresh_job.ts";',
    "",
    "export const jobs: JobClass[] = [",
    "  AdminAuditJob,",
    "  AdminRefreshJob,",
    "  RefreshJob,",
    "  WelcomeJob,",
    "  ZooRefreshJob,",
    "];",
    "",
  ].join("\n");
  assertEquals(names.reduce(list, formatEmptyJobList()), expected);
  assertEquals(names.toReversed().reduce(list, formatEmptyJobList()), expected);
  // Each job is listed now.
  assertEquals(names.reduce(list, expected), expected);
});

/** Files that were edited by hand, before and after RefreshJob is added. */
const EDITED: readonly (readonly [what: string, before: string, after: string])[] = [
  [
    "comments, also such that look like code",
    `// import { OldJob } from "./old_job.ts";
import { AJob } from "./a_job.ts"; // the first
/* const jobs = [XJob]; */
import { ZJob } from './z_job.ts'

export const jobs = [ // the list
  AJob, // speaks of A, not of Z
  // speaks of Z
  ZJob /* no comma */
];
`,
    `// import { OldJob } from "./old_job.ts";
import { AJob } from "./a_job.ts"; // the first
import { RefreshJob } from "./refresh_job.ts";
/* const jobs = [XJob]; */
import { ZJob } from './z_job.ts'

export const jobs = [ // the list
  AJob, // speaks of A, not of Z
  RefreshJob,
  // speaks of Z
  ZJob /* no comma */
];
`,
  ],
  [
    "the last one, behind an entry without a comma",
    'import { AJob } from "./a_job.ts";\nexport const jobs = [\n    AJob // why\n];',
    'import { AJob } from "./a_job.ts";\nimport { RefreshJob } from "./refresh_job.ts";\n' +
    "export const jobs = [\n    AJob, // why\n    RefreshJob,\n];",
  ],
  [
    "the first one, with an unsorted rest and a spread",
    'import { ZJob } from "./z_job.ts";\nimport { TJob } from "./t_job.ts";\nexport const jobs = [\n\tZJob, ...more,\n\tTJob,\n] as const;\n',
    'import { RefreshJob } from "./refresh_job.ts";\nimport { ZJob } from "./z_job.ts";\nimport { TJob } from "./t_job.ts";\n' +
    "export const jobs = [\n\tZJob, ...more,\n\tRefreshJob,\n\tTJob,\n] as const;\n",
  ],
  [
    "a list on one line",
    'import { AJob } from "./a_job.ts";\nexport const jobs: JobClass[] = [AJob];\n',
    'import { AJob } from "./a_job.ts";\nimport { RefreshJob } from "./refresh_job.ts";\n' +
    "export const jobs: JobClass[] = [\n  AJob,\n  RefreshJob,\n];\n",
  ],
  [
    "a list on one line with comments",
    'import { AJob } from "./a_job.ts";\nexport const jobs = [/* a */ AJob /* b */, SJob /* c */];\n',
    'import { AJob } from "./a_job.ts";\nimport { RefreshJob } from "./refresh_job.ts";\n' +
    "export const jobs = [/* a */ AJob /* b */, RefreshJob, SJob /* c */];\n",
  ],
  [
    "a comment over two lines",
    'import { AJob } from "./a_job.ts";\nconst jobs = [\n  AJob, /* of\n  A */\n  SJob,\n];\n',
    'import { AJob } from "./a_job.ts";\nimport { RefreshJob } from "./refresh_job.ts";\n' +
    "const jobs = [\n  AJob, /* of\n  A */\n  RefreshJob,\n  SJob,\n];\n",
  ],
  [
    "no import at all",
    "export const jobs = [];\n",
    'import { RefreshJob } from "./refresh_job.ts";\n\nexport const jobs = [\n  RefreshJob,\n];\n',
  ],
  [
    "an import of the package only, over several lines",
    'import {\n  type JobClass,\n} from "@activejob/kafka";\n\nexport const jobs: readonly JobClass[] = [\n];\n',
    'import {\n  type JobClass,\n} from "@activejob/kafka";\nimport { RefreshJob } from "./refresh_job.ts";\n\n' +
    "export const jobs: readonly JobClass[] = [\n  RefreshJob,\n];\n",
  ],
  [
    "its import without its entry, under another name",
    'import { helper, RefreshJob as R } from "./refresh_job.ts";\nexport const jobs = [\n  Z,\n];\n',
    'import { helper, RefreshJob as R } from "./refresh_job.ts";\nexport const jobs = [\n  R,\n  Z,\n];\n',
  ],
];

for (const [what, before, after] of EDITED) {
  Deno.test(`addToJobList() keeps ${what}`, () => {
    assertEquals(list(before, "refresh"), after);
    assertEquals(list(after, "refresh"), after);
  });
}

Deno.test("addToJobList() does not change a file that lists the job in another form", () => {
  const module = 'import { RefreshJob } from "./refresh_job.ts";\nexport const jobs = collect(RefreshJob);\n';
  assertEquals(list(module, "refresh"), module);
});

Deno.test("addToJobList() throws an error with the lines to add if it cannot parse the file", () => {
  const reasons = {
    "export const jobs = collect();\n": "there is no list of plain names, such as: export const jobs = [AJob, BJob]",
    "export const jobs = [a()];\n": "there is no list of plain names",
    "export const jobs = [A, [B]];\n": "there is no list of plain names",
    "export const jobs = ['A'];\n": "there is no list of plain names",
    "const jobs = [];\nexport const jobs = [];\n": "there is no list of plain names",
    "": "there is no list of plain names",
    'import { X } from "./admin/refresh_job.ts";\nexport const jobs = [X];\n':
      'it imports something else from "./admin/refresh_job.ts"',
  };
  for (const [module, reason] of Object.entries(reasons)) {
    const { message, code } = assertThrows(() => list(module, "admin/refresh"), CommandError);
    assertStringIncludes(message, `Cannot add Admin::RefreshJob to "jobs/mod.ts": ${reason}`);
    assertStringIncludes(
      message,
      'import { RefreshJob as AdminRefreshJob } from "./admin/refresh_job.ts"; and the entry AdminRefreshJob ',
    );
    assertEquals(code, 1);
  }
});

Deno.test("addToJobList() proposes another alias if the name is taken, and accepts it", () => {
  const remedy = (module: string, name: string) =>
    assertThrows(() => list(module, name), CommandError, "is taken there").message
      .replace(/^.*Add this by hand, then run it again: /, "");
  const taken = list(formatEmptyJobList(), "a/b_c");
  const importLine = 'import { ABCJob as ABCJob2 } from "./a_b_c_job.ts";';
  assertEquals(remedy(taken, "a_b_c"), `${importLine} and the entry ABCJob2 in the App's jobs`);
  const module = `${importLine}\n${taken}`.replace("];", "  ABCJob2,\n];");
  assertEquals(list(module, "a_b_c"), module);
  const imported = 'import { RefreshJob as R } from "./admin/refresh_job.ts";\nexport const jobs = collect();\n';
  assertStringIncludes(
    assertThrows(() => list(imported, "admin/refresh"), CommandError).message,
    'import { RefreshJob as R } from "./admin/refresh_job.ts"; and the entry R in',
  );
  const more = "class AdminRefreshJob {}\nconst AdminRefreshJob2 = 1;\nexport const jobs = [];\n";
  assertEquals(
    remedy(more, "admin/refresh"),
    'import { RefreshJob as AdminRefreshJob3 } from "./admin/refresh_job.ts"; and the entry AdminRefreshJob3 in the App\'s jobs',
  );
});
