#include "xslt/meter.h"

#include <libxml/xmlmemory.h>
#include <libxml/xpath.h>

#include "kernel/time.h"
#include "kernel/watched_heap.h"

namespace courant::xslt {
namespace {

constexpr std::size_t kLarge = 64 << 10;     // what fills so many bytes takes time
constexpr std::size_t kRefusable = 1 << 20;  // so large are texts alone, whose makers take a refusal well
constexpr unsigned kAskedBetweenLooks = 1024;

// Before main(), while there is one thread: libxml2 keeps the functions where every thread reads them without a lock.
// Memory that was had before is malloc's as well.
[[maybe_unused]] const int set_up = xmlMemSetup(watched_free, watched_malloc, watched_realloc, watched_strdup);

}  // namespace

Meter::Meter(const Limits& limits, xsltTransformContext* context)
    : limits_(limits), context_(context), begun_(processor_time()) {
  watch_heap(this);
}

Meter::~Meter() {
  watch_heap(nullptr);
}

// A text can be many times as long as those that it is made of, in one step. What has been stopped gets none any more.
bool Meter::grants(std::size_t bytes) {
  if (bytes < kRefusable) return true;
  const std::int64_t held = held_ + static_cast<std::int64_t>(bytes);
  if (breach_.empty() && held <= 2 * static_cast<std::int64_t>(limits_.memory)) return true;
  stop("it made more than " + std::to_string(limits_.memory) + " bytes of nodes and texts");
  return false;
}

void Meter::took(void*, std::size_t bytes) {
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
