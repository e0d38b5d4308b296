#include "tests/bench/comparison/interpreters.hpp"

#include <filesystem>
#include <sstream>

#include "tests/bench/comparison/process.hpp"

namespace flow::bench {
namespace {

namespace fs = std::filesystem;

struct Peer {
  std::string_view name;
  std::string_view program;
  std::string_view package;  // Debian's
  std::vector<std::string> options;
  bool is_counted = true;
};

// ocamlc leaves its files beside the source, so it gets a copy.
Status compile_ocaml(const fs::path& source, const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  const fs::path copy = folder / source.filename();
  fs::copy_file(source, copy, fs::copy_options::overwrite_existing, failure);
  if (failure) return error("cannot copy " + source.string() + ": " + failure.message());
  FLOW_TRY(const Ran ran, run({"ocamlc", "-o", (folder / "workloads.byte").string(), copy.string()}));
  if (ran.exit_code != 0) return error("ocamlc: " + ran.err);
  return {};
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

double units(const Workload& workload, std::int64_t size) {
  if (workload.name != "fib") return static_cast<double>(size);
  // fib(n) makes as many calls as the tree of its recursion has nodes.
  double calls = 1, before = 1;
  for (std::int64_t n = 2; n <= size; ++n) {
    const double now = calls + before + 1;
    before = calls;
    calls = now;
  }
  return calls;
}

Found find_interpreters(const FindOptions& options) {
  const fs::path peers = fs::path(options.source_dir) / "tests/bench/peers";
  const fs::path ocaml = fs::path(options.build_dir) / "bench_peers";
  Found found;
  found.interpreters.push_back({.name = std::string(kFlow), .command = {options.self, "run"}});
  const auto add = [&](const Peer& peer, const fs::path& file) {
    if (!is_installed(std::string(peer.program)))
      return found.skipped.push_back(std::string(peer.name) + ": `" + std::string(peer.program) +
                                     "` is not installed (Debian's package " + std::string(peer.package) +
                                     ")");
    Interpreter interpreter = {.name = std::string(peer.name), .command = {std::string(peer.program)}};
    interpreter.is_counted = peer.is_counted;
    for (const std::string& option : peer.options) interpreter.command.push_back(option);
    interpreter.command.push_back(file.string());
    found.interpreters.push_back(std::move(interpreter));
  };

  add({.name = kLua, .program = "lua5.4", .package = "lua5.4"}, peers / "workloads.lua");
  add({.name = "LuaJIT -joff", .program = "luajit", .package = "luajit", .options = {"-joff"}},
      peers / "workloads.lua");
  if (!is_installed("ocamlc")) {
    found.skipped.push_back("OCaml bytecode: `ocamlc` is not installed (Debian's package ocaml-nox)");
  } else if (const Status compiled = compile_ocaml(peers / "workloads.ml", ocaml); !compiled) {
    found.skipped.push_back("OCaml bytecode: " + compiled.error().message);
  } else {
    add({.name = "OCaml bytecode", .program = "ocamlrun", .package = "ocaml-nox"}, ocaml / "workloads.byte");
  }
  add({.name = "node --jitless",
       .program = "node",
       .package = "nodejs",
       .options = {"--jitless"},
       .is_counted = false},
      peers / "workloads.js");
  if (options.with_python)
    add({.name = "Python 3", .program = "python3", .package = "python3", .is_counted = false},
        peers / "workloads.py");
  found.interpreters.push_back(
      {.name = "C++ -O2", .command = {(fs::path(options.build_dir) / "bench_peer").string()}});
  return found;
}

Result<Answer> ask(const Interpreter& interpreter, const Workload& workload, std::int64_t size) {
  std::vector<std::string> command = interpreter.command;
  command.emplace_back(workload.name);
  command.push_back(std::to_string(size));
  FLOW_TRY(const Ran ran, run(command));
  if (ran.exit_code == -1)
    return error("a signal ended it, perhaps after " + std::to_string(kLongestSeconds) + " s");
  if (ran.exit_code != 0) return error(first_line(ran.err));
  Answer answer{.process_ms = ran.wall_ms};
  std::istringstream words(ran.out);
  if (!(words >> answer.milliseconds >> answer.result)) return error("wrote no time and result");
  return answer;
}

}  // namespace flow::bench
