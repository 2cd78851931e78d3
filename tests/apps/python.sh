#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# python3: threads, subprocesses, multiprocessing, asyncio, sqlite; what its own library exercises.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

py()
{
	container_try -- python3 -c "$3"
	is "$1" "$2" "$output"
}

py "starts, and finds its library" "3.11 linux" \
	'import sys, json, ssl, email; print("%d.%d" % sys.version_info[:2], sys.platform)'
py "eight threads share a queue and a lock" "36000" '
import threading, queue
q, lock, total = queue.Queue(), threading.Lock(), 0
def work():
    global total
    for _ in range(1000):
        n = q.get()
        with lock: total += n
threads = [threading.Thread(target=work) for _ in range(8)]
for t in threads: t.start()
for i in range(8):
    for _ in range(1000): q.put(i + 1)
for t in threads: t.join()
print(total)'
py "subprocess with pipes and a shell" "HELLO 3" '
import subprocess
p = subprocess.run(["tr", "a-z", "A-Z"], input="hello", text=True, capture_output=True)
print(p.stdout, subprocess.run("exit 3", shell=True).returncode)'
py "forty subprocesses, started from four threads" "40" '
import subprocess, concurrent.futures
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda i: subprocess.run(["true"]).returncode == 0, range(40))))'
py "multiprocessing: a pool of forked workers" "[0, 1, 4, 9, 16, 25]" '
import multiprocessing
with multiprocessing.get_context("fork").Pool(3) as pool:
    print(pool.map(abs, [0, -1, 4, -9, 16, -25]))'
py "shared memory between processes" "42" '
import multiprocessing
v = multiprocessing.Value("i", 0)
def add():
    for _ in range(21):
        with v.get_lock(): v.value += 1
ps = [multiprocessing.Process(target=add) for _ in range(2)]
for p in ps: p.start()
for p in ps: p.join()
print(v.value)'
py "asyncio: a TCP server and fifty clients" "50" '
import asyncio
async def serve(r, w):
    w.write((await r.readline()).upper()); await w.drain(); w.close()
async def ask(port):
    r, w = await asyncio.open_connection("127.0.0.1", port)
    w.write(b"x\n"); return await r.read()
async def main():
    s = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = s.sockets[0].getsockname()[1]
    print((await asyncio.gather(*[ask(port) for _ in range(50)])).count(b"X\n"))
asyncio.run(main())'
py "sqlite on disk, with a write-ahead log" "1000" '
import sqlite3
d = sqlite3.connect("/tmp/x.db"); d.execute("pragma journal_mode=wal")
d.execute("create table t(a)"); d.executemany("insert into t values(?)", [(i,) for i in range(1000)])
d.commit(); print(sqlite3.connect("/tmp/x.db").execute("select count(*) from t").fetchone()[0])'
py "signals: alarm interrupts a sleep" "alarm" '
import signal, time
class Alarm(Exception): pass
def handler(*a): raise Alarm
signal.signal(signal.SIGALRM, handler); signal.setitimer(signal.ITIMER_REAL, 0.1)
try: time.sleep(20)
except Alarm: print("alarm")'
py "reading address 0 is a segmentation fault" "-11" '
import subprocess, sys
print(subprocess.run([sys.executable, "-c", "import ctypes; ctypes.string_at(0)"]).returncode)'
py "floating point survives switches between threads" "True" '
import threading, math
def work(out): out.append(sum(math.sin(i) * math.sqrt(i) for i in range(100000)))
outs = []
threads = [threading.Thread(target=work, args=(outs,)) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(len(set(outs)) == 1)'
py "256 MB are allocated and all of them kept" "True" '
n = 256 << 20
b = bytearray(n)
for i in range(0, n, 4096): b[i] = i >> 12 & 255
print(all(b[i] == i >> 12 & 255 for i in range(0, n, 4096)))'

container_try -- python3 -c 'import ctypes; ctypes.string_at(0)'
is "death of the main process by SIGSEGV arrives as 139" 139 "$status"
tap_done
