// The workloads of tests/bench/workloads in JavaScript.
//   node --jitless workloads.js NAME SIZE    prints the milliseconds of processor time and the result
'use strict';

function fib(n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

const workloads = {
  empty: (size) => size,

  fib,

  loop(size) {
    let s = 0;
    for (let i = 0; i < size; i++) s = (s + i * 3) % 1000003;
    return s;
  },

  string(size) {
    let s = '';
    for (let i = 0; i < size; i++) s += `item ${i};`;
    return s.length;
  },

  list(size) {
    const a = [];
    for (let i = 0; i < size; i++) a.push(i);
    const b = a.map((x) => x * 2 + 1).filter((x) => x % 3 === 0);
    let sum = 0;
    for (let i = 0; i < b.length; i++) sum += b[i];
    return sum;
  },

  // Without a function, numbers would be sorted as texts.
  sort(size) {
    const a = [];
    let x = 42;
    for (let i = 0; i < size; i++) {
      x = (x * 16807) % 2147483647;
      a.push(x);
    }
    a.sort((left, right) => left - right);
    return a[0] + a[Math.floor(size / 2)] + a[size - 1];
  },

  map(size) {
    const m = new Map();
    for (let i = 0; i < size; i++) m.set(`k${(i * 7919) % 200000}`, i);
    let s = 0;
    for (let i = 0; i < size; i++) s += m.get(`k${i % 200000}`) ?? 0;
    return s;
  },
};

const run = workloads[process.argv[2]];
const size = Number(process.argv[3]);
const start = process.cpuUsage();
const result = run(size);
const used = process.cpuUsage(start);
console.log(`${((used.user + used.system) / 1000).toFixed(3)} ${result}`);
