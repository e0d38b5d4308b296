// What the memory of a run costs: growth in place, maps, collections.
//   build/release/bench_memory --benchmark_min_time=1
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <unordered_map>
#include <vector>

#include "vm/interp/collector.hpp"
#include "vm/interp/maps.hpp"

namespace flow::test {
namespace {

constexpr std::size_t kLimit = 1u << 30;

void append_slot(benchmark::State& state) {
  constexpr std::size_t kCount = 100'000;
  for (auto _ : state) {
    Heap heap(kLimit);
    const Slot* items = nullptr;
    for (std::size_t i = 0; i < kCount; ++i) {
      Slot* grown = heap.extend_slots(items, i, 1);
      grown[i] = Slot::integer(static_cast<std::int64_t>(i));
      items = grown;
    }
    benchmark::DoNotOptimize(items);
  }
  state.SetItemsProcessed(kCount * state.iterations());
}
BENCHMARK(append_slot);

// The part of append_slot that is not malloc's and the kernel's: the buffer is there.
void append_slot_in_place(benchmark::State& state) {
  constexpr std::size_t kCount = 100'000;
  Heap heap(kLimit);
  const std::vector<Slot> start(kCount, Slot::integer(0));
  for (auto _ : state) {
    state.PauseTiming();
    heap.clear();
    const Slot* items = heap.extend_slots(start.data(), start.size(), 1);
    for (std::size_t i = kCount + 1; i < 2 * kCount; ++i) items = heap.extend_slots(items, i, 1);
    heap.clear();
    items = heap.extend_slots(start.data(), start.size(), 1);
    state.ResumeTiming();
    for (std::size_t i = kCount + 1; i < 2 * kCount; ++i) {
      Slot* grown = heap.extend_slots(items, i, 1);
      grown[i] = Slot::integer(static_cast<std::int64_t>(i));
      items = grown;
    }
    benchmark::DoNotOptimize(items);
  }
  state.SetItemsProcessed(kCount * state.iterations());
}
BENCHMARK(append_slot_in_place);

constexpr std::size_t kKeys = 200'000, kOperations = 1'000'000;

// `k` and the number, as a flow makes its keys: each time anew.
struct KeyMaker {
  std::array<char, 24> buffer{'k'};
  std::string_view operator()(std::size_t number) {
    char* end = std::to_chars(buffer.data() + 1, buffer.data() + buffer.size(), number).ptr;
    return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
  }
};

void million_map_inserts_and_lookups(benchmark::State& state) {
  KeyMaker name;
  for (auto _ : state) {
    Heap heap(kLimit);
    Slot map = empty_map();
    for (std::size_t i = 0; i < kOperations; ++i) {
      const Slot key = Slot::text(heap.copy(name(i * 7919 % kKeys)));
      map = map_set(heap, map, key, Slot::integer(static_cast<std::int64_t>(i))).map;
    }
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < kOperations; ++i) sum += map_find(map, Slot::text(name(i % kKeys)))->number;
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(2 * kOperations * state.iterations());
}
BENCHMARK(million_map_inserts_and_lookups)->Unit(benchmark::kMillisecond);

void million_std_unordered_map(benchmark::State& state) {
  KeyMaker name;
  for (auto _ : state) {
    std::unordered_map<std::string, std::int64_t> map;
    for (std::size_t i = 0; i < kOperations; ++i)
      map[std::string(name(i * 7919 % kKeys))] = static_cast<std::int64_t>(i);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < kOperations; ++i) sum += map.find(std::string(name(i % kKeys)))->second;
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(2 * kOperations * state.iterations());
}
BENCHMARK(million_std_unordered_map)->Unit(benchmark::kMillisecond);

void small_map(benchmark::State& state) {
  const std::array<const char*, 6> texts{"id", "severity", "title", "status", "category", "machineId"};
  Heap heap(kLimit);
  Slot map = empty_map();
  for (const char* text : texts) map = map_set(heap, map, Slot::text(text), Slot::integer(1)).map;
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(map_find(map, Slot::text(texts[++i % 6])));
}
BENCHMARK(small_map);

// 16 MB live: lists of eight, each item a text of its own, with as much rubbish between.
void collect_16_mb(benchmark::State& state) {
  Heap heap(kLimit);
  std::vector<Slot> lists;
  while (heap.used() < (32u << 20)) {
    Slot* items = heap.allocate_slots(8);
    for (int i = 0; i < 8; ++i) {
      items[i] = Slot::text(heap.copy("a text of thirty-three characters"));
      heap.allocate(56);
    }
    lists.push_back(Slot::with_items(Slot::Tag::List, items, 8));
  }
  const std::array<std::span<Slot>, 1> roots{std::span<Slot>(lists)};
  std::size_t live = 0;
  for (auto _ : state) live = collect(heap, roots).live_bytes;
  state.SetBytesProcessed(static_cast<std::int64_t>(live) * state.iterations());
  state.counters["live"] = static_cast<double>(live);
}
BENCHMARK(collect_16_mb)->Unit(benchmark::kMillisecond);

void collect_16_mb_of_numbers(benchmark::State& state) {
  Heap heap(kLimit);
  Slot* items = heap.allocate_slots(1u << 20);
  std::fill_n(items, 1u << 20, Slot::integer(7));
  Slot root = Slot::with_items(Slot::Tag::List, items, 1u << 20);
  const std::array<std::span<Slot>, 1> roots{std::span<Slot>(&root, 1)};
  std::size_t live = 0;
  for (auto _ : state) live = collect(heap, roots).live_bytes;
  state.SetBytesProcessed(static_cast<std::int64_t>(live) * state.iterations());
}
BENCHMARK(collect_16_mb_of_numbers)->Unit(benchmark::kMillisecond);

// A gigabyte of texts, of which a megabyte lives, by the first threshold in MB.
void gigabyte_of_rubbish(benchmark::State& state) {
  for (auto _ : state) {
    Heap heap(64u << 20, static_cast<std::size_t>(state.range(0)) << 20);
    std::vector<Slot> live(8192, Slot::null());
    const std::array<std::span<Slot>, 1> roots{std::span<Slot>(live)};
    const std::string text(120, 'x');
    std::size_t most = 0;
    for (std::size_t i = 0; i < (1u << 30) / 120; ++i) {
      std::string_view kept = heap.copy(text);
      if (kept.data() == nullptr) {
        most = std::max(most, heap.used());
        collect(heap, roots);
        kept = heap.copy(text);
      }
      live[i % live.size()] = Slot::text(kept);
    }
    state.counters["most"] = static_cast<double>(most);
  }
}
BENCHMARK(gigabyte_of_rubbish)->Arg(2)->Arg(4)->Arg(8)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flow::test

BENCHMARK_MAIN();
