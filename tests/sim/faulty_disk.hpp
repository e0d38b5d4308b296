// A disk in memory for SQLite, as a VFS, that keeps what a disk has to keep and nothing more. What was
// written and not synced is lost when the power goes, or half of it is: each sector by itself, so that writes
// are torn and later ones outlive earlier ones. A file that was made or deleted may be found so or not.
// Operations fail as told: no space, writes, syncs and reads that are errors, writes that end early. After a
// sync that failed, the system forgets that those sectors are to be written, as Linux does: reading shows
// them, and later syncs leave them out.
//
// One process at a time opens files on it. It ends by crash(): from then on nothing it does has any effect.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

struct sqlite3_vfs;

namespace flow::test {

// Kinds of what goes wrong; one in so many operations, 0 is never.
struct DiskFaults {
  std::uint32_t write_error = 0;
  std::uint32_t short_write = 0;
  std::uint32_t sync_error = 0;
  std::uint32_t read_error = 0;
  std::int64_t space_bytes = 0;  // of all files together; writes beyond fail. 0: no limit
};

struct DiskCounts {
  std::uint64_t writes = 0, syncs = 0;
  std::uint64_t write_errors = 0, short_writes = 0, sync_errors = 0, read_errors = 0, no_space = 0;
  std::uint64_t lost = 0;  // pieces of writes that did not outlive a loss of power
  std::uint64_t torn = 0;  // losses of power at which some pieces did and others did not

  DiskCounts& operator+=(const DiskCounts& other);
};

class FaultyDisk {
 public:
  static constexpr std::size_t kSectorBytes = 512;

  explicit FaultyDisk(std::uint64_t seed);
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  const std::string& vfs() const { return name_; }  // for SqliteOptions::vfs
  void set_faults(const DiskFaults& faults) { faults_ = faults; }
  // The process ends in the middle of the n-th change from now (a write, truncation, sync or deletion), from
  // 1; 0 is never. That one happens in part.
  void crash_in(std::uint64_t changes) { crash_in_ = changes; }
  void crash() { is_down_ = true; }
  bool is_down() const { return is_down_; }

  // After a crash: what the next process finds. Without a loss of power that is all that was written.
  void restart(bool has_lost_power);
  // What a process would find now, on a disk without faults.
  std::unique_ptr<FaultyDisk> copy() const;
  const DiskCounts& counts() const { return counts_; }
  std::int64_t used_bytes() const;

 private:
  struct Vfs;
  // A write or truncation that no sync has made durable. Writes are cut at sectors.
  struct Change {
    std::size_t at = 0;
    std::string bytes;
    bool is_truncation = false;  // to `at`
    bool is_forgotten = false;   // a sync of it failed
  };
  struct File {
    std::string content;  // what a read gives
    std::string durable;
    std::vector<Change> changes;  // from `durable` to `content`
    bool has_forgotten = false;   // some of them are
    bool has_durable_name = false;
    std::vector<std::unique_ptr<char[]>> shared;  // the index of a write-ahead log, in memory
  };
  using Files = std::map<std::string, std::shared_ptr<File>>;

  bool happens(std::uint32_t one_in);
  bool begin_change(bool& is_last);
  int read(const File& file, char* into, std::size_t bytes, std::size_t at);
  int write(File& file, const char* bytes, std::size_t size, std::size_t at);
  int truncate(File& file, std::size_t size);
  int sync(File& file);
  int remove(const std::string& path, bool is_synced);
  void put(File& file, const char* bytes, std::size_t size, std::size_t at);
  void sync_names();
  static void apply(const Change& change, std::string& to);
  void lose_power(File& file);

  std::string name_;
  std::unique_ptr<sqlite3_vfs> raw_;
  std::mt19937_64 random_;
  DiskFaults faults_;
  DiskCounts counts_;
  Files files_;
  std::map<std::string, std::shared_ptr<File>> deleted_;  // whose deletion may be undone
  std::uint64_t crash_in_ = 0;
  bool is_down_ = false;
};

}  // namespace flow::test
