-- Take one job out of the hands of a dead worker, as RQ's own clean-up would after a while.
-- KEYS: 1 wip, 2 intermediate, 3 failed registry, 4 job, 5 execution
-- ARGV: 1 wip entry (may be ''), 2 job id, 3 now (seconds), 4 now (text), 5 seconds to keep
-- Returns 'running', 'intermediate', or 'finished' when RQ had already put its result away.
local where = 'intermediate'
if ARGV[1] ~= '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('DEL', KEYS[5])
  where = 'running'
end
redis.call('LREM', KEYS[2], 1, ARGV[2])
if redis.call('HGET', KEYS[4], 'status') == 'finished' then
  return 'finished'
end
redis.call('HSET', KEYS[4], 'status', 'failed', 'ended_at', ARGV[4])
redis.call('EXPIRE', KEYS[4], ARGV[5])
redis.call('ZADD', KEYS[3], ARGV[3] + ARGV[5], ARGV[2])
return where
