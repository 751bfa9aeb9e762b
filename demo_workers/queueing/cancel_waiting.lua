-- Take every waiting job of a run out of the queue and mark it cancelled, as RQ does.
-- KEYS: 1 queue, 2 canceled registry   ARGV: 1 prefix of the run's job ids, 2 prefix of job keys, 3 now, 4 seconds to keep
local waiting = redis.call('LRANGE', KEYS[1], 0, -1)
local taken = {}
redis.call('DEL', KEYS[1])
for _, id in ipairs(waiting) do
  if string.sub(id, 1, #ARGV[1]) == ARGV[1] then
    local job = ARGV[2] .. id
    -- a hash that is gone must not come back with a status and nothing else
    if redis.call('EXISTS', job) == 1 then
      redis.call('HSET', job, 'status', 'canceled')
      redis.call('EXPIRE', job, ARGV[4])
    end
    redis.call('ZADD', KEYS[2], ARGV[3] + ARGV[4], id)
    taken[#taken + 1] = id
  else
    redis.call('RPUSH', KEYS[1], id)
  end
end
-- RQ's maintenance never tidies this registry
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[3])
return taken
