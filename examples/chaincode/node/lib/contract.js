'use strict';

const shim = require('fabric-shim');
const accounts = require('./accounts');
const state = require('./state');
const { wholeNumber } = require('./numbers');

// What the function of that name answers: change it to see which code runs.
const VERSION = '1';

// Name -> [parameters for the error text, number of required ones, the code].
const FUNCTIONS = new Map(Object.entries({
    transfer: ['from, to, amount', 3, accounts.transfer],
    query: ['account', 1, accounts.query],
    set: ['key, value', 2, state.set],
    get: ['key', 1, state.get],
    delete: ['key', 1, state.remove],
    range: ['start, end', 2, state.range],
    page: ['start, end, size, bookmark', 4, state.page],
    history: ['key', 1, state.history],
    event: ['name, payload', 2, accounts.event],
    tag: ['value, type, attribute...', 3, state.tag],
    tags: ['type, attribute...', 1, state.tags],
    crash: ['exit code', 1, accounts.crash],
    sleep: ['milliseconds', 1, accounts.sleep],
    call: ['chaincode, channel, argument...', 2, accounts.call],
    blob: ['key, size', 2, state.blob],
    digest: ['key', 1, state.digest],
    bulk: ['prefix, from, count, size', 4, state.bulk],
    scan: ['start, end', 2, state.scan],
    info: ['', 0, accounts.info],
    version: ['', 0, async () => ({ contract: 'accounts', version: VERSION })],
}));

const answer = (result) => shim.success(Buffer.from(JSON.stringify(result)));

/** Run `work`; whatever it refuses becomes a response with status 500. */
async function answering(work) {
    try {
        return await work();
    } catch (error) {
        return shim.error(error.message);
    }
}

/** Answer with a status code of the caller's choice. */
function status(args) {
    if (args.length < 2) {
        throw new Error('status needs the arguments: code, message');
    }
    const code = wholeNumber('code', args[0]);
    return { status: code, message: args[1], payload: Buffer.from(JSON.stringify({ status: code })) };
}

class AccountsContract {
    /** Create accounts from pairs of name and amount. */
    async Init(stub) {
        const args = stub.getFunctionAndParameters().params;
        return answering(async () => {
            if (args.length % 2 !== 0) {
                throw new Error('init needs pairs of account and amount');
            }
            for (let i = 0; i < args.length; i += 2) {
                const amount = wholeNumber('amount', args[i + 1]);
                await stub.putState(args[i], Buffer.from(String(amount)));
            }
            return answer({ accounts: args.length / 2 });
        });
    }

    /** Run the named function. */
    async Invoke(stub) {
        const { fcn: name, params: args } = stub.getFunctionAndParameters();
        if (name === 'throw') {
            throw new Error(args.join(' '));
        }
        return answering(async () => {
            if (name === 'fail') {
                return shim.error(args.join(' '));
            }
            if (name === 'status') {
                return status(args);
            }
            const [parameters, needs, run] = FUNCTIONS.get(name) || [];
            if (!run) {
                throw new Error(`unknown function: ${name}`);
            }
            if (args.length < needs) {
                throw new Error(`${name} needs the arguments: ${parameters}`);
            }
            return answer(await run(stub, args));
        });
    }
}

module.exports = { AccountsContract };
