'use strict';

const { setTimeout: pause } = require('node:timers/promises');
const { wholeNumber } = require('./numbers');

const text = (value) => Buffer.from(value || []).toString('utf8');

async function balanceOf(stub, account) {
    const value = await stub.getState(account);
    if (!value || value.length === 0) {
        throw new Error(`account ${account} does not exist`);
    }
    return wholeNumber('balance', text(value));
}

async function transfer(stub, [from, to, amountText]) {
    const amount = wholeNumber('amount', amountText);
    if (from === to) {
        throw new Error('the accounts must differ');
    }
    const fromBalance = await balanceOf(stub, from) - amount;
    const toBalance = await balanceOf(stub, to) + amount;
    if (fromBalance < 0) {
        throw new Error(`account ${from} holds ${fromBalance + amount}, less than ${amount}`);
    }
    await stub.putState(from, Buffer.from(String(fromBalance)));
    await stub.putState(to, Buffer.from(String(toBalance)));
    stub.setEvent('transfer', Buffer.from(JSON.stringify({ from, to, amount })));
    return { from, to, amount, fromBalance, toBalance };
}

async function query(stub, [account]) {
    return { account, balance: await balanceOf(stub, account) };
}

async function event(stub, [name, payload]) {
    stub.setEvent(name, Buffer.from(payload));
    return { event: name };
}

/** End the process at once, as a bug in native code would. */
async function crash(_stub, [code]) {
    process.exit(wholeNumber('exit code', code));
}

async function sleep(_stub, [milliseconds]) {
    const slept = wholeNumber('milliseconds', milliseconds);
    await pause(slept);
    return { slept };
}

async function call(stub, [chaincode, channel, ...args]) {
    const response = await stub.invokeChaincode(chaincode, args, channel);
    return { status: response.status, message: response.message, payload: text(response.payload) };
}

async function info(stub) {
    return { channel: stub.getChannelID(), txId: stub.getTxID(), mspId: stub.getCreator().mspid };
}

module.exports = { transfer, query, event, crash, sleep, call, info };
