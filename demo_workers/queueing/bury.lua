-- Take one job out of the hands of a dead worker, as RQ's own clean-up would after a while.
-- KEYS: 1 wip, 2 intermediate, 3 failed registry, 4 job, 5 results, 6 the job's executions, 7 execution
-- ARGV: 1 job id, 2 execution id ('' when popped but not registered), 3 now (seconds), 4 seconds to keep unless the job
--       says how long, 5… fields and values of the result
-- Returns 'running', 'intermediate', 'finished' when RQ had already put its result away, or nothing when the job is in
-- somebody's hands or was taken out of them before.
local where = 'running'
if ARGV[2] == '' then
  where = 'intermediate'
  local mine = ARGV[1] .. ':'
  for _, entry in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if string.sub(entry, 1, #mine) == mine then
      return false
    end
  end
end
if redis.call('LREM', KEYS[2], 1, ARGV[1]) == 0 and where == 'intermediate' then
  return false
end
if where == 'running' then
  redis.call('ZREM', KEYS[1], ARGV[1] .. ':' .. ARGV[2])
  redis.call('ZREM', KEYS[6], ARGV[2])
  redis.call('DEL', KEYS[7])
end
local status = redis.call('HGET', KEYS[4], 'status')
if status == 'finished' then
  return 'finished'
end
if status == 'queued' or status == 'started' then
  local keep = tonumber(redis.call('HGET', KEYS[4], 'failure_ttl') or ARGV[4])
  redis.call('HSET', KEYS[4], 'status', 'failed')
  redis.call('ZADD', KEYS[3], ARGV[3] + keep, ARGV[1])
  redis.call('XADD', KEYS[5], 'MAXLEN', 10, '*', unpack(ARGV, 5))
  redis.call('EXPIRE', KEYS[4], keep)
  redis.call('EXPIRE', KEYS[5], keep)
end
return where
