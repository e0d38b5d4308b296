#include "faulty_disk.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/result.hpp"

namespace flow::test {

// SQLite's view of the disk: C functions that find the disk in `pAppData` and the file behind the handle.
struct FaultyDisk::Vfs {
  struct Handle {
    sqlite3_file base;
    FaultyDisk* disk;
    std::shared_ptr<File>* file;
  };
  static Handle& of(sqlite3_file* raw) { return *reinterpret_cast<Handle*>(raw); }
  static FaultyDisk& of(sqlite3_vfs* raw) { return *static_cast<FaultyDisk*>(raw->pAppData); }

  static int close(sqlite3_file* raw) {
    delete of(raw).file;
    of(raw).file = nullptr;
    return SQLITE_OK;
  }
  static int read(sqlite3_file* raw, void* into, int bytes, sqlite3_int64 at) {
    Handle& handle = of(raw);
    return handle.disk->read(**handle.file, static_cast<char*>(into), static_cast<std::size_t>(bytes),
                             static_cast<std::size_t>(at));
  }
  static int write(sqlite3_file* raw, const void* bytes, int size, sqlite3_int64 at) {
    Handle& handle = of(raw);
    return handle.disk->write(**handle.file, static_cast<const char*>(bytes), static_cast<std::size_t>(size),
                              static_cast<std::size_t>(at));
  }
  static int truncate(sqlite3_file* raw, sqlite3_int64 size) {
    Handle& handle = of(raw);
    return handle.disk->truncate(**handle.file, static_cast<std::size_t>(size));
  }
  static int sync(sqlite3_file* raw, int) {
    Handle& handle = of(raw);
    return handle.disk->sync(**handle.file);
  }
  static int file_size(sqlite3_file* raw, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>((*of(raw).file)->content.size());
    return SQLITE_OK;
  }
  // One process with one connection: nobody to keep out.
  static int lock(sqlite3_file*, int) { return SQLITE_OK; }
  static int check_lock(sqlite3_file*, int* is_locked) {
    *is_locked = 0;
    return SQLITE_OK;
  }
  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return 4096; }
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }  // as on Linux
  static int map_shared(sqlite3_file* raw, int region, int size, int extend, void volatile** at) {
    auto& shared = (*of(raw).file)->shared;
    const auto index = static_cast<std::size_t>(region);
    *at = nullptr;
    if (shared.size() <= index && extend == 0) return SQLITE_OK;
    while (shared.size() <= index) shared.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
    *at = shared[index].get();
    return SQLITE_OK;
  }
  static int lock_shared(sqlite3_file*, int, int, int) { return SQLITE_OK; }
  static void fence(sqlite3_file*) {}
  static int unmap_shared(sqlite3_file* raw, int) {
    (*of(raw).file)->shared.clear();
    return SQLITE_OK;
  }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* raw, int flags, int* given) {
    FaultyDisk& disk = of(vfs);
    raw->pMethods = nullptr;
    if (disk.is_down_ || path == nullptr) return SQLITE_CANTOPEN;
    auto found = disk.files_.find(path);
    if (found == disk.files_.end()) {
      if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
      found = disk.files_.emplace(path, std::make_shared<File>()).first;
    }
    Handle& handle = *new (raw) Handle{};
    handle.disk = &disk;
    handle.file = new std::shared_ptr<File>(found->second);
    handle.base.pMethods = &kMethods;
    if (given != nullptr) *given = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* path, int sync) { return of(vfs).remove(path, sync != 0); }
  static int access(sqlite3_vfs* vfs, const char* path, int, int* result) {
    *result = of(vfs).files_.contains(path) ? 1 : 0;
    return SQLITE_OK;
  }
  static int full_path(sqlite3_vfs*, const char* path, int size, char* into) {
    sqlite3_snprintf(size, into, "%s", path);
    return SQLITE_OK;
  }
  static int randomness(sqlite3_vfs* vfs, int size, char* into) {
    for (int i = 0; i < size; ++i) into[i] = static_cast<char>(of(vfs).random_());
    return size;
  }
  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int time(sqlite3_vfs*, sqlite3_int64* now) {
    *now = 212'000'000'000'000;
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }

  static const sqlite3_io_methods kMethods;
};

const sqlite3_io_methods FaultyDisk::Vfs::kMethods = {.iVersion = 2,
                                                      .xClose = close,
                                                      .xRead = read,
                                                      .xWrite = write,
                                                      .xTruncate = truncate,
                                                      .xSync = sync,
                                                      .xFileSize = file_size,
                                                      .xLock = lock,
                                                      .xUnlock = lock,
                                                      .xCheckReservedLock = check_lock,
                                                      .xFileControl = control,
                                                      .xSectorSize = sector_size,
                                                      .xDeviceCharacteristics = characteristics,
                                                      .xShmMap = map_shared,
                                                      .xShmLock = lock_shared,
                                                      .xShmBarrier = fence,
                                                      .xShmUnmap = unmap_shared,
                                                      .xFetch = nullptr,
                                                      .xUnfetch = nullptr};

DiskCounts& DiskCounts::operator+=(const DiskCounts& other) {
  writes += other.writes;
  syncs += other.syncs;
  write_errors += other.write_errors;
  short_writes += other.short_writes;
  sync_errors += other.sync_errors;
  read_errors += other.read_errors;
  no_space += other.no_space;
  lost += other.lost;
  torn += other.torn;
  return *this;
}

FaultyDisk::FaultyDisk(std::uint64_t seed)
    : name_(fmt::format("faulty-{}", static_cast<const void*>(this))),
      raw_(std::make_unique<sqlite3_vfs>()),
      random_(seed) {
  *raw_ = {};
  raw_->iVersion = 2;
  raw_->szOsFile = sizeof(Vfs::Handle);
  raw_->mxPathname = 512;
  raw_->zName = name_.c_str();
  raw_->pAppData = this;
  raw_->xOpen = Vfs::open;
  raw_->xDelete = Vfs::remove;
  raw_->xAccess = Vfs::access;
  raw_->xFullPathname = Vfs::full_path;
  raw_->xRandomness = Vfs::randomness;
  raw_->xSleep = Vfs::sleep;
  raw_->xGetLastError = Vfs::last_error;
  raw_->xCurrentTimeInt64 = Vfs::time;
  FLOW_CHECK(sqlite3_vfs_register(raw_.get(), 0) == SQLITE_OK, "a VFS of a new name is registered");
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(raw_.get());
}

bool FaultyDisk::happens(std::uint32_t one_in) {
  return one_in != 0 && random_() % one_in == 0;
}

// False when the process is gone; `is_last` when it goes in this very change.
bool FaultyDisk::begin_change(bool& is_last) {
  is_last = crash_in_ == 1;
  if (is_down_) return false;
  if (crash_in_ > 0) --crash_in_;
  is_down_ = is_last;
  return true;
}

int FaultyDisk::read(const File& file, char* into, std::size_t bytes, std::size_t at) {
  if (is_down_) return SQLITE_IOERR_READ;
  if (happens(faults_.read_error)) {
    ++counts_.read_errors;
    return SQLITE_IOERR_READ;
  }
  const std::size_t there = at < file.content.size() ? std::min(bytes, file.content.size() - at) : 0;
  std::memcpy(into, file.content.data() + at, there);
  if (there == bytes) return SQLITE_OK;
  std::memset(into + there, 0, bytes - there);
  return SQLITE_IOERR_SHORT_READ;
}

int FaultyDisk::write(File& file, const char* bytes, std::size_t size, std::size_t at) {
  FLOW_CHECK(size < 1 << 17, "SQLite's own files take no more at once");
  bool is_last = false;
  if (!begin_change(is_last)) return SQLITE_IOERR_WRITE;
  ++counts_.writes;
  if (is_last) {
    put(file, bytes, random_() % (size + 1), at);
    return SQLITE_IOERR_WRITE;
  }
  const std::size_t end = at + size;
  const std::size_t more = end > file.content.size() ? end - file.content.size() : 0;
  if (faults_.space_bytes > 0 && more > 0 &&
      used_bytes() + static_cast<std::int64_t>(more) > faults_.space_bytes) {
    ++counts_.no_space;
    return SQLITE_FULL;
  }
  if (happens(faults_.write_error)) {
    ++counts_.write_errors;
    return SQLITE_IOERR_WRITE;
  }
  if (happens(faults_.short_write)) {
    ++counts_.short_writes;
    put(file, bytes, random_() % size, at);
    return SQLITE_FULL;
  }
  put(file, bytes, size, at);
  return SQLITE_OK;
}

// In pieces, none of which crosses into another sector: each is durable or lost by itself.
void FaultyDisk::put(File& file, const char* bytes, std::size_t size, std::size_t at) {
  while (size > 0) {
    const std::size_t piece = std::min(size, kSectorBytes - at % kSectorBytes);
    // What was forgotten and is written again is not forgotten any more.
    if (file.has_forgotten)
      std::erase_if(file.changes, [&](const Change& old) {
        return old.is_forgotten && !old.is_truncation && old.at >= at &&
               old.at + old.bytes.size() <= at + piece;
      });
    file.changes.push_back({at, std::string(bytes, piece), false, false});
    apply(file.changes.back(), file.content);
    at += piece;
    bytes += piece;
    size -= piece;
  }
}

void FaultyDisk::apply(const Change& change, std::string& to) {
  if (change.is_truncation) return to.resize(change.at);
  if (to.size() < change.at + change.bytes.size()) to.resize(change.at + change.bytes.size());
  to.replace(change.at, change.bytes.size(), change.bytes);
}

int FaultyDisk::truncate(File& file, std::size_t size) {
  bool is_last = false;
  if (!begin_change(is_last)) return SQLITE_IOERR_TRUNCATE;
  if (is_last) return SQLITE_IOERR_TRUNCATE;
  if (happens(faults_.write_error)) {
    ++counts_.write_errors;
    return SQLITE_IOERR_TRUNCATE;
  }
  file.changes.push_back({size, {}, true, false});
  apply(file.changes.back(), file.content);
  return SQLITE_OK;
}

int FaultyDisk::sync(File& file) {
  bool is_last = false;
  if (!begin_change(is_last)) return SQLITE_IOERR_FSYNC;
  if (is_last) return SQLITE_IOERR_FSYNC;
  ++counts_.syncs;
  if (happens(faults_.sync_error)) {
    ++counts_.sync_errors;
    for (Change& change : file.changes) change.is_forgotten = file.has_forgotten = true;
    return SQLITE_IOERR_FSYNC;
  }
  std::vector<Change> forgotten;
  for (Change& change : file.changes) {
    if (change.is_forgotten && !change.is_truncation)
      forgotten.push_back(std::move(change));
    else
      apply(change, file.durable);
  }
  file.changes = std::move(forgotten);
  file.has_forgotten = !file.changes.empty();
  if (!file.has_durable_name) sync_names();
  return SQLITE_OK;
}

// The folder is synced with a new file, which SQLite does for its journals.
void FaultyDisk::sync_names() {
  for (auto& [path, file] : files_) file->has_durable_name = true;
  deleted_.clear();
}

int FaultyDisk::remove(const std::string& path, bool is_synced) {
  bool is_last = false;
  if (!begin_change(is_last)) return SQLITE_IOERR_DELETE;
  const auto found = files_.find(path);
  if (found == files_.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (is_last && random_() % 2 == 0) return SQLITE_IOERR_DELETE;
  if (found->second->has_durable_name) deleted_[path] = found->second;
  files_.erase(found);
  if (is_synced && !is_last) sync_names();
  return is_last ? SQLITE_IOERR_DELETE : SQLITE_OK;
}

// Which of the unsynced changes outlive it: none, all, those up to a moment, or any.
void FaultyDisk::lose_power(File& file) {
  const std::uint64_t how = random_() % 4;
  const std::size_t until = file.changes.empty() ? 0 : random_() % (file.changes.size() + 1);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < file.changes.size(); ++i) {
    const bool is_kept = how == 1 || (how == 2 && i < until) || (how == 3 && random_() % 2 == 0);
    if (!is_kept) continue;
    ++kept;
    apply(file.changes[i], file.durable);
  }
  counts_.lost += file.changes.size() - kept;
  if (kept > 0 && kept < file.changes.size()) ++counts_.torn;
  file.content = file.durable;
  file.changes.clear();
  file.has_forgotten = false;
  file.has_durable_name = true;
}

void FaultyDisk::restart(bool has_lost_power) {
  for (auto& [path, file] : files_) file->shared.clear();
  if (has_lost_power) {
    std::erase_if(files_,
                  [&](const auto& entry) { return !entry.second->has_durable_name && random_() % 2 == 0; });
    for (auto& [path, file] : deleted_)
      if (!files_.contains(path) && random_() % 2 == 0) files_.emplace(path, std::move(file));
    deleted_.clear();
    for (auto& [path, file] : files_) lose_power(*file);
  }
  is_down_ = false;
  crash_in_ = 0;
}

std::unique_ptr<FaultyDisk> FaultyDisk::copy() const {
  auto made = std::make_unique<FaultyDisk>(1);
  for (const auto& [path, file] : files_) {
    auto twin = std::make_shared<File>();
    twin->content = twin->durable = file->content;
    made->files_.emplace(path, std::move(twin));
  }
  return made;
}

std::int64_t FaultyDisk::used_bytes() const {
  std::int64_t bytes = 0;
  for (const auto& [path, file] : files_) bytes += static_cast<std::int64_t>(file->content.size());
  return bytes;
}

}  // namespace flow::test
