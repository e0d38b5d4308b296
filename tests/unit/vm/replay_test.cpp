// Snapshots that builds before this one wrote, with their modules: each must be restored and go on as it did
// then. tests/replay/README.md says how a version is added.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/unit/vm/answering.hpp"
#include "tests/unit/vm/branching_flows.hpp"
#include "tests/unit/vm/waiting_flows.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/interp/snapshot.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

const fs::path kReplay = fs::path(FLOW_SOURCE_DIR) / "tests/replay";
constexpr std::uint64_t kModuleKey = 42;
constexpr Limits kLimits{.heap_bytes = 200'000};

std::string read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
void write_bytes(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

Outcome answer(const Call&) {
  return Returned{kMachineJson};
}

// Everything a run does from where it waits, a line for each step, what it waits for first, and what it used.
std::string rest_of(const Program& program, Machine& machine) {
  std::string text;
  for (const Step& step : machine.pending()) text += told(program, step) + "\n";
  Answering answering(machine, answer);
  for (bool is_over = false; !is_over;) {
    const std::optional<Step> step = answering.next();
    for (const std::uint32_t call : answering.take_cancelled())
      text += "nobody wants " + std::to_string(call) + "\n";
    if (!step) return text + "waits for nobody\n";
    text += told(program, *step) + "\n";
    is_over = std::holds_alternative<Ended>(*step);
  }
  return text + "fuel " + std::to_string(machine.fuel_used()) + "\n";
}

// A run of the flow, frozen wherever it waits.
struct Frozen {
  std::string bytes;
  std::size_t waiting = 0;  // calls and log lines
  bool has_cancelled = false;
};
std::vector<Frozen> frozen_wherever_it_waits(const Program& program) {
  Machine machine(program, 0, kLimits);
  std::vector<Frozen> places;
  if (std::holds_alternative<Ended>(machine.start(kEvent))) return places;
  Answering answering(machine, answer);
  for (std::optional<Step> step; !step || !std::holds_alternative<Ended>(*step); step = answering.next())
    places.push_back({machine.snapshot(kModuleKey), machine.pending().size()});
  for (Frozen& place : places) {
    auto twin = Machine::restore(program, 0, kLimits, place.bytes, kModuleKey);
    EXPECT_TRUE(twin) << twin.error().message;
    if (twin) place.has_cancelled = !twin->take_cancelled().empty();
  }
  return places;
}

// The first place where the run waits, the first and the last where it waits for the most, those where a call
// was just given up, and the last two.
std::set<std::size_t> kept_of(const std::vector<Frozen>& places) {
  std::size_t first = 0, last = 0;
  for (std::size_t place = 0; place < places.size(); ++place) {
    if (places[place].waiting > places[first].waiting) first = place;
    if (places[place].waiting >= places[last].waiting) last = place;
  }
  std::set<std::size_t> kept{0, first, last, places.size() - 1};
  if (places.size() > 1) kept.insert(places.size() - 2);
  for (std::size_t place = 0; place < places.size(); ++place)
    if (places[place].has_cancelled) kept.insert(place);
  return kept;
}

// Into the folder of this version: each flow's module, and some of its snapshots.
void write_this_version() {
  const fs::path folder = kReplay / ("snapshot-" + std::to_string(kSnapshotVersion));
  fs::create_directories(folder);
  const std::pair<const char*, Assembler> flows[] = {
      {"all-kinds", with_all_kinds()}, {"functions", in_functions()}, {"growing", growing()},
      {"handler", in_handler()},       {"nested", nested()},          {"branches", in_branches()}};
  for (const auto& [name, flow] : flows) {
    write_bytes(folder / (std::string(name) + ".flowc"), encode(flow.world.module));
    const auto program = Program::load(flow.world.module);
    ASSERT_TRUE(program) << program.error().message;
    const std::vector<Frozen> places = frozen_wherever_it_waits(*program);
    for (const std::size_t place : kept_of(places)) {
      const std::string stem = std::string(name) + "-" + std::to_string(place);
      auto restored = Machine::restore(*program, 0, kLimits, places[place].bytes, kModuleKey);
      ASSERT_TRUE(restored) << restored.error().message;
      write_bytes(folder / (stem + ".snapshot"), places[place].bytes);
      write_bytes(folder / (stem + ".expected"), rest_of(*program, *restored));
    }
  }
}

TEST(Replay, SnapshotsOfAllVersionsGoOn) {
  if (std::getenv("FLOW_UPDATE") != nullptr) write_this_version();
  std::vector<int> found(kSnapshotVersion + 1), found_with_branches(kSnapshotVersion + 1);
  for (const auto& entry : fs::recursive_directory_iterator(kReplay)) {
    const fs::path path = entry.path();
    if (path.extension() != ".snapshot") continue;
    SCOPED_TRACE(path.string());
    const std::string stem = path.stem();
    const auto module = decode(read_bytes(path.parent_path() / (stem.substr(0, stem.rfind('-')) + ".flowc")));
    ASSERT_TRUE(module) << module.error().message;
    const auto program = Program::load(*module);
    ASSERT_TRUE(program) << program.error().message;
    auto machine = Machine::restore(*program, 0, kLimits, read_bytes(path), kModuleKey);
    ASSERT_TRUE(machine) << machine.error().message;
    const std::string folder = path.parent_path().filename();
    const auto version = static_cast<std::size_t>(std::atoi(folder.c_str() + folder.rfind('-') + 1));
    ++found.at(version);
    if (machine->pending().size() > 2) ++found_with_branches.at(version);
    EXPECT_EQ(rest_of(*program, *machine), read_bytes(fs::path(path).replace_extension(".expected")));
  }
  for (std::size_t version = kOldestReadSnapshot; version <= kSnapshotVersion; ++version) {
    EXPECT_GT(found[version], 3) << "tests/replay has no snapshots of version " << version;
    EXPECT_GT(found_with_branches[version], 1)
        << "tests/replay has no snapshots of version " << version << " with several branches under way";
  }
}

}  // namespace
}  // namespace flow::test
