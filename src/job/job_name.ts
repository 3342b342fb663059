/** The name that a class has on the wire: its own `jobName`, else the class's name. Pure, and known to all that speak of classes. */

/** As much of a job class as its name needs. */
export interface Named {
  /** The class's name. */
  readonly name: string;
  /** Its name on the wire, where it is another one. Not inherited. */
  readonly jobName?: string;
}

/** The name that a class has on the wire. */
export function jobNameOf(Class: Named): string {
  return (Object.hasOwn(Class, "jobName") ? Class.jobName : undefined) ?? Class.name;
}
