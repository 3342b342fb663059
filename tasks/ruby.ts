/** The Ruby of the tests with Rails' Active Job: whether this machine has one. */

/** The folder whose tests need it. */
export const RUBY_FOLDER = "tests/rails";

/** Returns why there is no Ruby with Active Job; `null` if there is one. */
export async function findMissingRuby(): Promise<string | null> {
  try {
    const args = ["-e", 'require "active_job"; print ActiveJob.version'];
    const { success, stderr } = await new Deno.Command("ruby", { args }).output();
    if (success) return null;
    return `Ruby has no Active Job (${new TextDecoder().decode(stderr).split("\n")[0]})`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no Ruby: apt-get install ruby ruby-activejob";
    throw error;
  }
}

/** Returns why there is no kcat, by which the Ruby of a test reaches a Kafka; `null` if there is one. */
export async function findMissingKcat(): Promise<string | null> {
  try {
    await new Deno.Command("kcat", { args: ["-V"] }).output();
    return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no kcat: apt-get install kcat";
    throw error;
  }
}
