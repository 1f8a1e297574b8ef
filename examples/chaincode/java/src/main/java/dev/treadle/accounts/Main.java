package dev.treadle.accounts;

/** Starts the example contract on the Java shim; ../../README.md lists its functions. */
public final class Main {
    private Main() { }

    public static void main(final String[] args) {
        new Contract().start(args);
    }
}
