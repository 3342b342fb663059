/** A module that cannot be loaded. */
throw new Error("boom at load");
