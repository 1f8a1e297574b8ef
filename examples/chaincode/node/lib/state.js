'use strict';

const { createHash } = require('node:crypto');
const { wholeNumber } = require('./numbers');

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';

/** A value as JSON shows it; a missing one is null. */
const text = (value) => (value && value.length > 0 ? Buffer.from(value).toString('utf8') : null);

/** A value of that many bytes: a to z, over and over. */
const filler = (size) => Buffer.alloc(size, ALPHABET);

async function set(stub, [key, value]) {
    const bytes = Buffer.from(value);
    await stub.putState(key, bytes);
    return { key, bytes: bytes.length };
}

async function get(stub, [key]) {
    return { key, value: text(await stub.getState(key)) };
}

async function remove(stub, [key]) {
    await stub.deleteState(key);
    return { key };
}

/** Walk an iterator to its end and close it. */
async function each(results, visit) {
    try {
        for (let item = await results.next(); !item.done; item = await results.next()) {
            visit(item.value);
        }
    } finally {
        await results.close();
    }
}

async function entries(results) {
    const found = [];
    await each(results, ({ key, value }) => found.push({ key, value: text(value) }));
    return found;
}

async function range(stub, [start, end]) {
    return entries(await stub.getStateByRange(start, end));
}

async function page(stub, [start, end, size, bookmark]) {
    const pageSize = wholeNumber('size', size);
    // A page without records has empty metadata, which the shim leaves out.
    const { iterator, metadata = { fetchedRecordsCount: 0, bookmark: '' } } =
        await stub.getStateByRangeWithPagination(start, end, pageSize, bookmark);
    const items = await entries(iterator);
    return { items, fetched: metadata.fetchedRecordsCount, bookmark: metadata.bookmark };
}

async function history(stub, [key]) {
    const changes = [];
    await each(await stub.getHistoryForKey(key), (item) => changes.push({
        txId: item.txId,
        value: text(item.value),
        deleted: item.isDelete,
        seconds: Number(item.timestamp.seconds),
    }));
    return changes;
}

async function tag(stub, [value, type, ...attributes]) {
    await stub.putState(stub.createCompositeKey(type, attributes), Buffer.from(value));
    return { type, attributes, value };
}

async function tags(stub, [type, ...attributes]) {
    const found = [];
    await each(await stub.getStateByPartialCompositeKey(type, attributes), ({ key, value }) => {
        found.push({ attributes: stub.splitCompositeKey(key).attributes, value: text(value) });
    });
    return found;
}

async function blob(stub, [key, sizeText]) {
    const bytes = wholeNumber('size', sizeText);
    await stub.putState(key, filler(bytes));
    return { key, bytes };
}

async function digest(stub, [key]) {
    const value = Buffer.from(await stub.getState(key));
    return { key, bytes: value.length, sha256: createHash('sha256').update(value).digest('hex') };
}

async function bulk(stub, [prefix, fromText, countText, sizeText]) {
    const from = wholeNumber('from', fromText);
    const count = wholeNumber('count', countText);
    const value = filler(wholeNumber('size', sizeText));
    for (let i = from; i < from + count; i++) {
        await stub.putState(prefix + String(i).padStart(8, '0'), value);
    }
    return { written: count };
}

/** Hash a whole range: key, zero byte, value, zero byte of each entry. */
async function scan(stub, [start, end]) {
    const hash = createHash('sha256');
    let count = 0;
    await each(await stub.getStateByRange(start, end), ({ key, value }) => {
        hash.update(`${key}\0`).update(value).update('\0');
        count += 1;
    });
    return { count, sha256: hash.digest('hex') };
}

module.exports = { set, get, remove, range, page, history, tag, tags, blob, digest, bulk, scan };
