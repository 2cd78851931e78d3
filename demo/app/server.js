// SPDX-License-Identifier: GPL-2.0-only
// The demo's web app. It knows nothing of containers: plain Node.js on plain Linux.
//
// GET / says hello. On SIGUSR2 it pings $PEER, asks http://$PEER:8080/ and writes what came of it, with its
// own addresses and ARP table, as one line of JSON to standard output.
'use strict';
const fs = require('fs');
const http = require('http');
const os = require('os');
const { execFile } = require('child_process');

const peer = process.env.PEER;
const port = 8080;

function ping(address) {
	return new Promise(resolve => execFile('ping', ['-c', '3', '-i', '0.2', '-W', '1', address],
		(error, stdout) => resolve((stdout.match(/(\d+) received/) || [0, '0'])[1])));
}

function get(url) {
	return new Promise(resolve => {
		const request = http.get(url, { timeout: 3000 }, response => {
			let body = '';
			response.on('data', data => { body += data; });
			response.on('end', () => resolve(body.trim()));
		});
		request.on('timeout', () => request.destroy(new Error('no answer')));
		request.on('error', error => resolve('error: ' + error.message));
	});
}

function arp() {
	return fs.readFileSync('/proc/net/arp', 'utf8').trim().split('\n').slice(1)
		.map(line => line.split(/\s+/)).map(f => ({ dst: f[0], lladdr: f[3], flags: f[2] }));
}

async function report() {
	const pinged = await ping(peer);
	const got = await get(`http://${peer}:${port}/`);
	console.log(JSON.stringify({ ping: pinged, get: got, links: os.networkInterfaces(), arp: arp() }));
}

http.createServer((request, response) => {
	response.end(`hello ${request.socket.remoteAddress}, here is Node.js ${process.version} ` +
		`on ${os.type()} ${os.release()}\n`);
}).listen(port, '0.0.0.0', () => console.log('listening'));

process.on('SIGUSR2', report);
process.on('SIGTERM', () => process.exit(0));
