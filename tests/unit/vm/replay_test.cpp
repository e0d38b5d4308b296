// Snapshots that builds before this one wrote, with their modules: each must be restored and go on as it did
// then. tests/replay/README.md says how a version is added.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

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

Step answer(Machine& machine, const Step& step) {
  return machine.resume(Returned{std::holds_alternative<Call>(step) ? kMachineJson : "null"});
}

// Everything a run does from where it waits, a line for each step, and what it used.
std::string rest_of(const Program& program, Machine& machine) {
  std::string text;
  Step step = machine.pending().front();
  for (; !std::holds_alternative<Ended>(step); step = answer(machine, step))
    text += told(program, step) + "\n";
  return text + told(program, step) + "\nfuel " + std::to_string(machine.fuel_used()) + "\n";
}

// Into the folder of this version: each flow's module, and its snapshots at the first and the last two places
// where it waits.
void write_this_version() {
  const fs::path folder = kReplay / ("snapshot-" + std::to_string(kSnapshotVersion));
  fs::create_directories(folder);
  const std::pair<const char*, Assembler> flows[] = {{"all-kinds", with_all_kinds()},
                                                     {"functions", in_functions()},
                                                     {"growing", growing()},
                                                     {"handler", in_handler()}};
  for (const auto& [name, flow] : flows) {
    write_bytes(folder / (std::string(name) + ".flowc"), encode(flow.world.module));
    const auto program = Program::load(flow.world.module);
    ASSERT_TRUE(program);
    Machine machine(*program, 0, kLimits);
    std::vector<std::string> snapshots;
    for (Step step = machine.start(kEvent); !std::holds_alternative<Ended>(step);
         step = answer(machine, step))
      snapshots.push_back(machine.snapshot(kModuleKey));
    for (std::size_t i = 0; i < snapshots.size(); ++i) {
      if (i != 0 && i + 2 < snapshots.size()) continue;
      const std::string stem = std::string(name) + "-" + std::to_string(i);
      auto restored = Machine::restore(*program, 0, kLimits, snapshots[i], kModuleKey);
      ASSERT_TRUE(restored);
      write_bytes(folder / (stem + ".snapshot"), snapshots[i]);
      write_bytes(folder / (stem + ".expected"), rest_of(*program, *restored));
    }
  }
}

TEST(Replay, SnapshotsOfAllVersionsGoOn) {
  if (std::getenv("FLOW_UPDATE") != nullptr) write_this_version();
  std::vector<int> found(kSnapshotVersion + 1);
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
    EXPECT_EQ(rest_of(*program, *machine), read_bytes(fs::path(path).replace_extension(".expected")));
    const std::string folder = path.parent_path().filename();
    ++found.at(static_cast<std::size_t>(std::atoi(folder.c_str() + folder.rfind('-') + 1)));
  }
  for (std::size_t version = kOldestReadSnapshot; version <= kSnapshotVersion; ++version)
    EXPECT_GT(found[version], 3) << "tests/replay has no snapshots of version " << version;
}

}  // namespace
}  // namespace flow::test
