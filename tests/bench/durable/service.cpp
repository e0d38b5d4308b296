#include "tests/bench/durable/service.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>
#include <utility>

namespace flow::bench {
namespace {

using namespace std::chrono_literals;

// Empty when it cannot be read, as of a process that has just ended.
std::string read(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

struct Statistics {
  pid_t parent = 0;
  double processor_s = 0;
};

// /proc/PID/stat from the parent's number on: what stands before may hold blanks.
Statistics statistics(const std::string& text) {
  std::istringstream fields(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::string state, skipped;
  Statistics found;
  double user = 0, system = 0, children_user = 0, children_system = 0;  // of children that have ended
  fields >> state >> found.parent;
  for (int i = 5; i < 14; ++i) fields >> skipped;
  fields >> user >> system >> children_user >> children_system;
  found.processor_s =
      (user + system + children_user + children_system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return found;
}

// Of a line as `Pss:   1234 kB`.
double megabytes(const std::string& text, std::string_view name) {
  const std::size_t at = text.find(fmt::format("\n{}:", name));
  if (at == std::string::npos) return 0;
  return static_cast<double>(std::strtoull(text.c_str() + at + name.size() + 2, nullptr, 10)) / 1024;
}

}  // namespace

Result<Process> Process::start(const Start& start) {
  std::vector<char*> words;
  for (const std::string& word : start.command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return error("cannot start another process");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int log = ::open(start.log.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    for (const std::string& variable : start.environment) ::putenv(const_cast<char*>(variable.c_str()));
    if (start.folder.empty() || ::chdir(start.folder.c_str()) == 0) ::execvp(words[0], words.data());
    ::_exit(127);
  }
  Process process;
  process.pid_ = pid;
  process.log_ = start.log;
  return process;
}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  stop();
  pid_ = std::exchange(other.pid_, 0);
  log_ = std::move(other.log_);
  return *this;
}

void Process::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < 50; ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) return static_cast<void>(pid_ = 0);
    std::this_thread::sleep_for(100ms);
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::string Process::said() const {
  return read(log_);
}

Status Process::wait_for(const std::string& text, double seconds) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    const std::string log = said();
    if (log.find(text) != std::string::npos) return {};
    const bool has_ended =
        ::kill(pid_, 0) != 0 || read(fmt::format("/proc/{}/stat", pid_)).find(") Z ") != std::string::npos;
    if (has_ended || std::chrono::steady_clock::now() > until)
      return error(fmt::format("it {}; {} ends with:\n{}", has_ended ? "ended" : "did not come up", log_,
                               log.substr(log.size() - std::min<std::size_t>(log.size(), 1000))));
    std::this_thread::sleep_for(1ms);
  }
}

Usage usage(const std::vector<pid_t>& roots, const std::string& folder) {
  Usage all;
  std::map<pid_t, Statistics> processes;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    processes[pid] = statistics(read(entry.path() / "stat"));
  }
  for (const auto& [pid, found] : processes) {
    pid_t above = pid;
    while (above != 0 && std::ranges::find(roots, above) == roots.end())
      above = processes.contains(above) ? processes[above].parent : 0;
    if (above == 0) continue;
    all.processor_s += found.processor_s;
    all.resident_mb += megabytes(read(fmt::format("/proc/{}/smaps_rollup", pid)), "Pss");
    all.highest_mb += megabytes(read(fmt::format("/proc/{}/status", pid)), "VmHWM");
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ignored)) {
    struct stat about {};
    if (::lstat(entry.path().c_str(), &about) == 0)
      all.disk_bytes += static_cast<std::uint64_t>(about.st_blocks) * 512;
  }
  return all;
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool is_bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  return is_bound ? ntohs(address.sin_port) : std::uint16_t{0};
}

}  // namespace flow::bench
