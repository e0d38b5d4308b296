// The workloads of tests/bench/workloads in C++: how far interpreters are from the machine itself.
//   bench_peer NAME SIZE    prints the milliseconds of processor time and the result
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <numeric>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

std::int64_t fib(std::int64_t n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

std::int64_t loop(std::int64_t size) {
  std::int64_t s = 0;
  for (std::int64_t i = 0; i < size; ++i) s = (s + i * 3) % 1000003;
  return s;
}

std::int64_t string(std::int64_t size) {
  std::string s;
  for (std::int64_t i = 0; i < size; ++i) {
    s += "item ";
    s += std::to_string(i);
    s += ';';
  }
  return static_cast<std::int64_t>(s.size());
}

std::int64_t list(std::int64_t size) {
  std::vector<std::int64_t> a, b, c;
  for (std::int64_t i = 0; i < size; ++i) a.push_back(i);
  std::ranges::transform(a, std::back_inserter(b), [](std::int64_t x) { return x * 2 + 1; });
  std::ranges::copy_if(b, std::back_inserter(c), [](std::int64_t x) { return x % 3 == 0; });
  return std::accumulate(c.begin(), c.end(), std::int64_t{0});
}

std::int64_t sort(std::int64_t size) {
  std::vector<std::int64_t> a;
  std::int64_t x = 42;
  for (std::int64_t i = 0; i < size; ++i) {
    x = x * 16807 % 2147483647;
    a.push_back(x);
  }
  std::ranges::sort(a);
  return a.front() + a[static_cast<std::size_t>(size / 2)] + a.back();
}

std::int64_t map(std::int64_t size) {
  std::unordered_map<std::string, std::int64_t> m;
  for (std::int64_t i = 0; i < size; ++i) m["k" + std::to_string(i * 7919 % 200000)] = i;
  std::int64_t s = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    const auto found = m.find("k" + std::to_string(i % 200000));
    if (found != m.end()) s += found->second;
  }
  return s;
}

}  // namespace

int main(int count, char** arguments) {
  const std::map<std::string, std::int64_t (*)(std::int64_t)> workloads = {
      {"empty", [](std::int64_t size) { return size; }},
      {"fib", fib},
      {"loop", loop},
      {"string", string},
      {"list", list},
      {"sort", sort},
      {"map", map},
  };
  const auto run = workloads.find(count == 3 ? arguments[1] : "");
  if (run == workloads.end()) return std::fputs("usage: bench_peer NAME SIZE\n", stderr), 2;
  const std::int64_t size = std::atoll(arguments[2]);
  const std::clock_t start = std::clock();
  const std::int64_t result = run->second(size);
  std::printf("%.3f %lld\n", static_cast<double>(std::clock() - start) * 1000 / CLOCKS_PER_SEC,
              static_cast<long long>(result));
}
