#include "feeds/door_tally.h"

#include <string_view>

namespace courant::feeds {
namespace {

constexpr std::array<std::string_view, kRefusals> kDoorReasons = {
    "xml", "event", "atom", "grammar", "assertion", "category", "stylesheet", "result", "bound", "failure"};
constexpr std::array<std::string_view, 3> kDoorSteps = {"schema", "assertions", "stylesheet"};

// A schema takes some microseconds; stylesheets may take a second.
std::vector<double> door_durations() {
  return {0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3};
}

}  // namespace

DoorTally::DoorTally(Metrics& metrics)
    : form_(&metrics.histogram("courant_form_seconds",
                               "How long stylesheets took to make a further form of a document, or failed to",
                               door_durations())) {
  for (std::size_t i = 0; i < kDoorReasons.size(); ++i) {
    refused_[i] = &metrics.counter("courant_door_refused_total", "Entries and bodies refused as they were published",
                                   {{"reason", std::string(kDoorReasons[i])}});
  }
  for (std::size_t i = 0; i < kDoorSteps.size(); ++i) {
    steps_[i] = &metrics.histogram("courant_door_seconds", "How long it took to judge or transform an entry",
                                   door_durations(), {{"step", std::string(kDoorSteps[i])}});
  }
  constexpr std::array<std::string_view, 2> kOf = {"door", "form"};
  constexpr std::array<std::string_view, 2> kWhy = {"stopped", "broken"};
  for (std::size_t of = 0; of < kOf.size(); ++of) {
    for (std::size_t why = 0; why < kWhy.size(); ++why) {
      failures_[of][why] = &metrics.counter("courant_stylesheet_failures_total", "Stylesheets that did not end well",
                                            {{"of", std::string(kOf[of])}, {"why", std::string(kWhy[why])}});
    }
  }
}

void DoorTally::ended(Of of, xslt::Transformation::End end) const {
  using End = xslt::Transformation::End;
  const auto& failures = failures_[static_cast<std::size_t>(of)];
  if (end == End::kStopped) failures[0]->add();
  if (end == End::kBroken) failures[1]->add();
}

}  // namespace courant::feeds
