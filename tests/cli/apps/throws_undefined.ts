/** A module that throws a value that is not an error. */
throw undefined;
