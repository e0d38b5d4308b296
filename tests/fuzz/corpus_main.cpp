// A fuzz target as a plain test: `corpus_x DIR COUNT` runs it over the files of DIR, over its seeds, and over
// COUNT inputs made by changing them, the same ones each time. `corpus_x --write DIR` writes the seeds for
// the fuzzer.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/bytes.hpp"

namespace {

class Chance {  // splitmix64
 public:
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : next() % bound; }

 private:
  std::uint64_t state_ = 1;
};

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string random_input(Chance& chance) {
  std::string input(chance.below(400), '\0');
  for (char& c : input) c = static_cast<char>(chance.next());
  return input;
}

std::string changed(std::string input, Chance& chance) {
  for (std::size_t changes = 1 + chance.below(4); changes > 0 && !input.empty(); --changes) {
    const std::size_t at = chance.below(input.size());
    switch (chance.below(5)) {
      case 0: input[at] = static_cast<char>(chance.next()); break;
      case 1: input[at] = static_cast<char>(input[at] ^ (1 << chance.below(8))); break;
      case 2: input.erase(at, 1 + chance.below(8)); break;
      case 3: input.insert(at, 1 + chance.below(8), static_cast<char>(chance.next())); break;
      default: input[at] = static_cast<char>(chance.below(2) == 0 ? 0x00 : 0xff);
    }
  }
  return input;
}

std::vector<std::string> inputs_in(const char* directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> inputs;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: corpus DIR COUNT | corpus --write DIR\n"), 2;
  std::vector<std::string> inputs = flow::fuzz::seeds();
  if (std::strcmp(argv[1], "--write") == 0) {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      std::ofstream(std::filesystem::path(argv[2]) / ("seed-" + std::to_string(i) + ".bin"), std::ios::binary)
          << inputs[i];
    return 0;
  }
  for (std::string& input : inputs_in(argv[1])) inputs.push_back(std::move(input));
  for (const std::string& input : inputs) run(input);
  Chance chance;
  const int count = std::atoi(argv[2]);
  for (int i = 0; i < count; ++i)
    run(chance.below(2) == 0 ? random_input(chance) : changed(inputs[chance.below(inputs.size())], chance));
  std::printf("%zu kept inputs and %d changed ones\n", inputs.size(), count);
}
