# The workloads of tests/bench/workloads in Python.
#   python3 workloads.py NAME SIZE    prints the milliseconds of processor time and the result
import sys
import time


def empty(size):
    return size


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def loop(size):
    s = 0
    for i in range(size):
        s = (s + i * 3) % 1000003
    return s


def string(size):
    s = ""
    for i in range(size):
        s += f"item {i};"
    return len(s)


def list_(size):
    a = [i for i in range(size)]
    b = [x for x in [x * 2 + 1 for x in a] if x % 3 == 0]
    return sum(b)


def sort(size):
    a, x = [], 42
    for _ in range(size):
        x = x * 16807 % 2147483647
        a.append(x)
    a.sort()
    return a[0] + a[size // 2] + a[size - 1]


def map_(size):
    m = {}
    for i in range(size):
        m[f"k{i * 7919 % 200000}"] = i
    s = 0
    for i in range(size):
        s += m.get(f"k{i % 200000}", 0)
    return s


workloads = {"empty": empty, "fib": fib, "loop": loop, "string": string, "list": list_, "sort": sort, "map": map_}
run, size = workloads[sys.argv[1]], int(sys.argv[2])
start = time.process_time()
result = run(size)
print(f"{(time.process_time() - start) * 1000:.3f} {result}")
