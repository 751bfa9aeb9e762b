-- Take one waiting job out of the queue and mark it cancelled, as RQ does, unless a worker was quicker.
-- KEYS: 1 queue, 2 canceled registry, 3 job   ARGV: 1 job id, 2 name of the queue, 3 now, 4 seconds to keep
-- Returns {1 if it was taken, the job's status before}; no status when there is no such job in this queue.
local origin, status = unpack(redis.call('HMGET', KEYS[3], 'origin', 'status'))
-- a server may be shared: jobs of other queues are nobody's business here
if origin ~= ARGV[2] then return {0} end
-- who takes it out of the list has it: a worker does so in one step too
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return {0, status} end
redis.call('HSET', KEYS[3], 'status', 'canceled')
redis.call('EXPIRE', KEYS[3], ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[3] + ARGV[4], ARGV[1])
-- RQ's maintenance never tidies this registry
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[3])
return {1, status}
