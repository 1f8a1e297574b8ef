// Tells whether somebody listens at the given host:port: exit code 0, or 3.
'use strict';
const address = process.argv[2];
const colon = address.lastIndexOf(':');
const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
const away = () => process.exit(3);
const socket = require('net').connect(Number(address.slice(colon + 1)), host);
socket.setTimeout(3000, away).on('error', away).on('connect', () => process.exit(0));
