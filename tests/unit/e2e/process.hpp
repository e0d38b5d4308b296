// Programs started by a test: with nothing on standard input, output kept in files, and an end that comes in
// any case.
#pragma once

#include <sys/types.h>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

namespace flow::e2e {

// A folder of its own, gone with this object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name) const { return (root_ / name).string(); }
  // Writes a file and gives its path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path root_;
};

std::string read_all(const std::string& path);

// How a program ended.
struct Ended {
  int exit_code = -1;    // -1: it did not exit by itself
  int signal = 0;        // what killed it; 0: nothing
  bool is_late = false;  // the time was up, so the test killed it
  std::string out, err;

  std::string all() const { return out + err; }
};

using Arguments = std::vector<std::string>;

struct ProcessOptions {
  std::string folder;                    // where it runs; empty: where the test runs
  std::vector<std::string> environment;  // `NAME=value`, beside what the test has
};

class Process {
 public:
  // `program` is a name in the build folder, as `flow`, or a whole path.
  Process(const std::string& program, const Arguments& arguments, const ProcessOptions& options = {});
  ~Process();  // kills it
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  bool is_running();
  void send(int signal);
  // What it has written so far.
  std::string out() const { return read_all(output_.path("out")); }
  std::string err() const { return read_all(output_.path("err")); }
  // Waits for its end, and brings it about when the time is up.
  Ended wait(std::chrono::milliseconds patience = std::chrono::seconds(60));
  Ended kill();

 private:
  Folder output_;
  pid_t id_ = -1;
  int status_ = 0;
  bool is_over_ = false;
};

// Runs `flow` to its end.
Ended run_flow(const Arguments& arguments, const ProcessOptions& options = {});

// Waits until `holds()`, for at most so long; says whether it came true.
template <class Condition>
bool eventually(const Condition& holds, std::chrono::milliseconds patience = std::chrono::seconds(60));

}  // namespace flow::e2e

#include <thread>

template <class Condition>
bool flow::e2e::eventually(const Condition& holds, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}
