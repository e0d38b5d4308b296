#include "tests/bench/comparison/process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>

namespace flow::bench {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

std::string content(std::FILE* file) {
  std::string all;
  char block[4096];
  std::rewind(file);
  while (const std::size_t count = std::fread(block, 1, sizeof block, file)) all.append(block, count);
  return all;
}

// Only in the child: what follows fork() may be no more than this.
[[noreturn]] void become(char* const* words, int out, int err) {
  // Not RLIMIT_CPU: under it, Linux tells a process its processor time only in ticks of some milliseconds.
  ::alarm(kLongestSeconds);
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::execvp(words[0], words);
  ::_exit(127);
}

}  // namespace

Result<Ran> run(const std::vector<std::string>& command) {
  std::vector<std::string> copies = command;
  std::vector<char*> words;
  for (std::string& word : copies) words.push_back(word.data());
  words.push_back(nullptr);

  const File out(std::tmpfile()), err(std::tmpfile());
  if (!out || !err) return error("no temporary file can be made");
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child < 0) return error("no process can be started");
  if (child == 0) become(words.data(), ::fileno(out.get()), ::fileno(err.get()));
  int status = 0;
  ::waitpid(child, &status, 0);
  const auto end = std::chrono::steady_clock::now();
  return Ran{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
             .out = content(out.get()),
             .err = content(err.get()),
             .wall_ms = std::chrono::duration<double, std::milli>(end - start).count()};
}

bool is_installed(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace flow::bench
