'use strict';

/** Read a number that all four languages can hold exactly. */
function wholeNumber(what, text) {
    if (!/^[0-9]{1,15}$/.test(text)) {
        throw new Error(`${what} must be a whole number: ${text}`);
    }
    return Number(text);
}

module.exports = { wholeNumber };
