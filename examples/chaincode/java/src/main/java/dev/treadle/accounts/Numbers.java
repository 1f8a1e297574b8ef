package dev.treadle.accounts;

import java.util.regex.Pattern;

/** Numbers as arguments. */
final class Numbers {
    private static final Pattern DIGITS = Pattern.compile("[0-9]{1,15}");

    private Numbers() { }

    /** Reads a number that all four languages can hold exactly. */
    static long wholeNumber(final String what, final String text) {
        if (!DIGITS.matcher(text).matches()) {
            throw new IllegalArgumentException(what + " must be a whole number: " + text);
        }
        return Long.parseLong(text);
    }
}
