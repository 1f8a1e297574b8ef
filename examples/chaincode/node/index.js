'use strict';

const shim = require('fabric-shim');
const { AccountsContract } = require('./lib/contract');

shim.start(new AccountsContract());
