/** The page "About": versions, the broker, and checks of the configuration. */
import type { App } from "../../../app/app.ts";
import { VERSION } from "../../../support/version.ts";
import { html } from "../html.ts";
import type { Page } from "../page.ts";

/** The data of the page. */
export interface AboutData {
  /** The App's name. */
  readonly name: string;
  /** The version of this library. */
  readonly version: string;
  /** The runtime and its version: `"Deno/2.9.6"`. */
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
      runtime: navigator.userAgent,
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
      <dl>
        <dt>App</dt>
        <dd>${name}</dd>
        <dt>@activejob/kafka</dt>
        <dd>${version}</dd>
        <dt>Runtime</dt>
        <dd>${runtime}</dd>
        <dt>Broker</dt>
        <dd>${broker}</dd>
        <dt>Job classes</dt>
        <dd>${jobs.join(", ")}</dd>
      </dl>
      <h2>Checks</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">Result</th>
          </tr>
        </thead>
        <tbody>${checks.map(({ check, isOk, result }) =>
          html`
            <tr>
              <th scope="row">${check}</th>
              <td>${isOk ? "OK" : "Look at this"}: ${result}</td>
            </tr>
          `
        )}</tbody>
      </table>
    `,
};
