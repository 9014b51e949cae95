-- For wrk: what users saw, in one line: requests, milliseconds (median, 99th percentile), statuses.
local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init()
   seen = {}
end

function response(status)
   seen[status] = (seen[status] or 0) + 1
end

function done(summary, latency)
   local seen, words = {}, {}
   for _, thread in ipairs(threads) do
      for status, count in pairs(thread:get("seen")) do
         seen[status] = (seen[status] or 0) + count
      end
   end
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.timeout
   for status, count in pairs(seen) do
      table.insert(words, string.format("%dx%d", status, count))
   end
   table.sort(words)
   if failed > 0 then
      table.insert(words, "none x" .. failed)
   end
   local p50, p99 = latency:percentile(50) / 1000, latency:percentile(99) / 1000
   print(string.format("saw %d %.1f %.1f %s", summary.requests, p50, p99, table.concat(words, " ")))
end
