// A list whose elements are read from bytes when they are first asked for: a check names a few of hundreds of
// operations. Elements keep their address. Reading is safe from several threads, changing is not.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

namespace flow {

template <class T>
class LazyList {
 public:
  // What reads an element of bytes that were written as one.
  using Read = T (*)(std::string_view bytes);

  template <class List, class Value>
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = Value*;
    using reference = Value&;
    Iterator() = default;
    Iterator(List* list, std::size_t index) : list_(list), index_(index) {}
    reference operator*() const { return (*list_)[index_]; }
    pointer operator->() const { return &(*list_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) { return {list_, index_++}; }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }
    difference_type operator-(const Iterator& other) const {
      return static_cast<difference_type>(index_) - static_cast<difference_type>(other.index_);
    }

   private:
    List* list_ = nullptr;
    std::size_t index_ = 0;
  };

  LazyList() = default;
  LazyList(const LazyList& other) : read_(other.read_) {
    for (const Item& item : other.items_) items_.emplace_back(item);
  }
  LazyList(LazyList&&) noexcept = default;
  LazyList& operator=(LazyList other) noexcept {
    std::swap(items_, other.items_);
    std::swap(read_, other.read_);
    return *this;
  }
  ~LazyList() = default;

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  const T& operator[](std::size_t index) const { return made(items_[index]); }
  T& operator[](std::size_t index) { return made(items_[index]); }
  void push_back(T value) { items_.emplace_back(std::make_unique<T>(std::move(value))); }
  // An element that `read` makes of `bytes`, which must stay, when it is asked for.
  void push_bytes(std::string_view bytes, Read read) {
    read_ = read;
    items_.emplace_back(bytes);
  }

  auto begin() const { return Iterator<const LazyList, const T>(this, 0); }
  auto end() const { return Iterator<const LazyList, const T>(this, size()); }
  auto begin() { return Iterator<LazyList, T>(this, 0); }
  auto end() { return Iterator<LazyList, T>(this, size()); }

 private:
  struct Item {
    explicit Item(std::string_view from) : bytes(from) {}
    explicit Item(std::unique_ptr<T> value) : made(value.release()) {}
    Item(const Item& other) : bytes(other.bytes) {
      if (const T* value = other.made.load(std::memory_order_acquire)) made = new T(*value);
    }
    Item& operator=(const Item&) = delete;
    ~Item() { delete made.load(std::memory_order_relaxed); }

    std::string_view bytes;
    mutable std::atomic<T*> made = nullptr;
  };

  T& made(const Item& item) const {
    if (T* value = item.made.load(std::memory_order_acquire)) return *value;
    auto fresh = std::make_unique<T>(read_(item.bytes));
    T* other = nullptr;  // of a thread that was faster
    if (!item.made.compare_exchange_strong(other, fresh.get(), std::memory_order_acq_rel)) return *other;
    return *fresh.release();
  }

  std::deque<Item> items_;
  Read read_ = nullptr;
};

}  // namespace flow
