/** The page "About": versions, the broker, and checks of the configuration. */
import type { App } from "../../../app/app.ts";
import { runtimeName } from "../../../support/process_info.ts";
import { VERSION } from "../../../support/version.ts";
import { type Html, html } from "../html.ts";
import type { Page } from "../page.ts";
import { renderFact, renderTable } from "../parts.ts";

/** The data of the page. */
export interface AboutData {
  /** The App's name. */
  readonly name: string;
  /** The version of this library. */
  readonly version: string;
  /** The runtime and its version: `"Deno 2.9.6"`. */
  readonly runtime: string;
  /** The broker's name, without secrets. */
  readonly broker: string;
  /** The names of the job classes. */
  readonly jobs: readonly string[];
  /** Checks, each with its result in words. */
  readonly checks: readonly { readonly check: string; readonly isOk: boolean; readonly result: string }[];
}

/** "About". */
export const about: Page<AboutData> = {
  path: "about",
  nav: "About",
  title: () => "About",
  async load(app: App) {
    const groups = await app.findOtherGroups();
    const others = [...groups].map(([topic, names]) => `${topic}: ${names.join(", ")}`);
    return {
      name: app.name,
      version: VERSION,
      runtime: runtimeName(),
      broker: app.brokerName,
      jobs: app.jobNames(),
      checks: [
        { check: "The broker responds", isOk: true, result: "yes" },
        {
          check: "No other project consumes the topics",
          isOk: others.length === 0,
          result: others.length === 0 ? "none found" : others.join("; "),
        },
      ],
    };
  },
  render: ({ name, version, runtime, broker, jobs, checks }) =>
    html`
      <dl class="facts">
        ${renderFact("App", name)} ${renderFact("@activejob/kafka", version)} ${renderFact("Runtime", runtime)}
        ${renderFact("Broker", broker)} ${renderFact("Job classes", jobs.join(", "))}
      </dl>
      <h2>Checks</h2>
      ${renderTable("Checks", [{ name: "Check" }, { name: "Result" }], checks.map(renderCheck), {
        isCaptionHidden: true,
      })}
    `,
};

function renderCheck({ check, isOk, result }: AboutData["checks"][number]): Html {
  return html`
    <tr>
      <th scope="row">${check}</th>
      <td>${isOk ? "OK" : "Look at this"}: ${result}</td>
    </tr>
  `;
}
