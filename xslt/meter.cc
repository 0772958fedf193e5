#include "xslt/meter.h"

#include <cstdlib>
#include <cstring>

#include <libxml/xmlmemory.h>
#include <libxml/xpath.h>
#include <malloc.h>
#include <time.h>

#include "kernel/time.h"

namespace courant::xslt {
namespace {

thread_local Meter* metering = nullptr;

constexpr std::size_t kLarge = 64 << 10;     // what fills so many bytes takes time
constexpr std::size_t kRefusable = 1 << 20;  // so large are texts alone, whose makers take a refusal well
constexpr unsigned kAskedBetweenLooks = 1024;

std::chrono::nanoseconds processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

void* counted(void* memory) {
  if (metering != nullptr && memory != nullptr) metering->took(::malloc_usable_size(memory));
  return memory;
}

void* counted_malloc(std::size_t size) {
  if (metering != nullptr && !metering->grants(size)) return nullptr;
  return counted(std::malloc(size));
}

void counted_free(void* memory) {
  if (metering != nullptr && memory != nullptr) metering->gave(::malloc_usable_size(memory));
  std::free(memory);
}

void* counted_realloc(void* memory, std::size_t size) {
  if (metering == nullptr) return std::realloc(memory, size);
  if (!metering->grants(size)) return nullptr;
  const std::size_t before = memory == nullptr ? 0 : ::malloc_usable_size(memory);
  void* const moved = std::realloc(memory, size);
  if (moved != nullptr) metering->gave(before);
  return counted(moved);
}

char* counted_strdup(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  void* const copy = counted_malloc(size);
  return copy == nullptr ? nullptr : static_cast<char*>(std::memcpy(copy, text, size));
}

// Before main(), while there is one thread: libxml2 keeps the functions where every thread reads them without a lock.
// Memory that was had before is malloc's as well.
[[maybe_unused]] const int set_up = xmlMemSetup(counted_free, counted_malloc, counted_realloc, counted_strdup);

}  // namespace

Meter::Meter(const Limits& limits, xsltTransformContext* context)
    : limits_(limits), context_(context), begun_(processor_time()) {
  metering = this;
}

Meter::~Meter() {
  metering = nullptr;
}

Meter* Meter::of_this_thread() {
  return metering;
}

// A text can be many times as long as those that it is made of, in one step. What has been stopped gets none any more.
bool Meter::grants(std::size_t bytes) {
  if (bytes < kRefusable) return true;
  const std::int64_t held = held_ + static_cast<std::int64_t>(bytes);
  if (breach_.empty() && held <= 2 * static_cast<std::int64_t>(limits_.memory)) return true;
  stop("it made more than " + std::to_string(limits_.memory) + " bytes of nodes and texts");
  return false;
}

void Meter::took(std::size_t bytes) {
  held_ += static_cast<std::int64_t>(bytes);
  if (held_ > static_cast<std::int64_t>(limits_.memory)) {
    stop("it made more than " + std::to_string(limits_.memory) + " bytes of nodes and texts");
  }
  if (++asked_ >= kAskedBetweenLooks || bytes >= kLarge) look_at_clock();
}

void Meter::look_at_clock() {
  asked_ = 0;
  if (processor_time() - begun_ > limits_.time) {
    stop("it took more than " + format_duration(limits_.time) + " of the processor");
  }
}

void Meter::stop(std::string why) {
  if (breach_.empty()) breach_ = std::move(why);
  context_->state = XSLT_STATE_STOPPED;
  context_->opLimit = 1;
  context_->opCount = 1;
  context_->xpathCtxt->opLimit = 1;
  context_->xpathCtxt->opCount = 1;
}

}  // namespace courant::xslt
