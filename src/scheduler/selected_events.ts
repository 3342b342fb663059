/**
 * A monitor that passes on the events of some names only. The assignments and commits of the group that releases delayed jobs
 * do not concern listeners that count the partitions of jobs: `schedule.ready` reports it.
 */
import type { EventMap, EventName } from "../monitor/events.ts";
import { Monitor } from "../monitor/monitor.ts";

/** See the module. */
export class SelectedEvents extends Monitor {
  readonly #to: Monitor;
  readonly #names: ReadonlySet<EventName>;

  constructor(to: Monitor, names: readonly EventName[]) {
    super();
    this.#to = to;
    this.#names = new Set(names);
  }

  override hasListener(name: EventName): boolean {
    return this.#names.has(name) && this.#to.hasListener(name);
  }

  override emit<N extends EventName>(name: N, event: EventMap[N]): void {
    if (this.#names.has(name)) this.#to.emit(name, event);
  }
}
