#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a kubelet asks of containerd, as far as the tests here need it: a client of the CRI, runtime.v1, by gRPC.

Usage: cri.py SOCKET COMMAND...
	pod NAME RUNTIME CGROUP LOGS	run a sandbox; print its id. RUNTIME is a handler, CGROUP its parent
	address POD			print its address
	container POD NAME IMAGE LOGS COMMAND...	create one in this pod, and start it; print its id
	wait CONTAINER			until it has ended; print its exit code
	stop CONTAINER | stop-pod POD	five seconds after SIGTERM it is killed
	remove CONTAINER | remove-pod POD

The messages are put together by the numbers of their fields in cri-api's api.proto: there is no generated code.
"""
import sys
import time

import grpc

RUNTIME = "/runtime.v1.RuntimeService/"
EXITED = 2		# ContainerState.CONTAINER_EXITED


def varint(value):
    data = b""
    while value > 127:
        data += bytes([value & 127 | 128])
        value >>= 7
    return data + bytes([value])


def message(**fields):
    """fN=value: field number N; a list: repeated."""
    data = b""
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            number = int(name[1:])
            if isinstance(value, int):
                data += varint(number << 3) + varint(value)
            else:
                value = value.encode() if isinstance(value, str) else value
                data += varint(number << 3 | 2) + varint(len(value)) + value
    return data


def fields_of(data):
    """A dict of the last value of each field: an int, or bytes."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            found[key >> 3] = number()
        elif key & 7 == 2:
            length = number()
            found[key >> 3] = data[at:at + length]
            at += length
        else:
            raise ValueError(f"a field of wire type {key & 7}")
    return found


class Runtime:
    def __init__(self, socket):
        self.channel = grpc.insecure_channel("unix:" + socket)

    def ask(self, method, **fields):
        return fields_of(self.channel.unary_unary(RUNTIME + method)(message(**fields), timeout=60))

    def pod(self, name, runtime, cgroup, logs):
        config = message(f1=message(f1=name, f2=name, f3="default"), f2=name, f3=logs, f8=message(f1=cgroup))
        print(self.ask("RunPodSandbox", f1=config, f2=runtime)[1].decode())

    def address(self, pod):
        print(fields_of(fields_of(self.ask("PodSandboxStatus", f1=pod)[1])[5])[1].decode())

    def container(self, pod, name, image, logs, *command):
        config = message(f1=message(f1=name), f2=message(f1=image), f3=list(command), f11=name)
        # The sandbox's own description: of it, only where its logs are counts.
        sandbox = message(f1=message(f1=name, f2=name, f3="default"), f3=logs)
        made = self.ask("CreateContainer", f1=pod, f2=config, f3=sandbox)[1].decode()
        self.ask("StartContainer", f1=made)
        print(made)

    def wait(self, container):
        for _ in range(600):
            status = fields_of(self.ask("ContainerStatus", f1=container)[1])
            if status.get(3, 0) == EXITED:
                print(status.get(7, 0))
                return
            time.sleep(0.1)
        sys.exit("it does not end")

    def stop(self, container):
        self.ask("StopContainer", f1=container, f2=5)

    def stop_pod(self, pod):
        self.ask("StopPodSandbox", f1=pod)

    def remove(self, container):
        self.ask("RemoveContainer", f1=container)

    def remove_pod(self, pod):
        self.ask("RemovePodSandbox", f1=pod)


try:
    getattr(Runtime(sys.argv[1]), sys.argv[2].replace("-", "_"))(*sys.argv[3:])
except grpc.RpcError as error:
    sys.exit(f"{sys.argv[2]}: {error.details()}")
