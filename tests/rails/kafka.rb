# A program with Active Job beside a real Kafka, through kcat (librdkafka). The queue of a job is the name of its topic.
#
# It enqueues one job, then performs one from a topic, which enqueues another one. Arguments: the brokers, and that topic.
require "active_job"
require "json"
require "open3"

BROKERS, TOPIC = ARGV
ActiveJob::Base.logger = nil

class KafkaAdapter
  def enqueue(job)
    command = ["kcat", "-P", "-b", BROKERS, "-t", job.queue_name, "-X", "topic.partitioner=murmur2_random"]
    command.push("-k", job.arguments.first, "-H", "program=ruby")
    output, status = Open3.capture2e(*command, stdin_data: "#{JSON.generate(job.serialize)}\n")
    raise "kcat: #{output}" unless status.success?
  end

  # Active Job wants an adapter to have it.
  def enqueue_at(_job, _timestamp) = raise(NotImplementedError)
end

ActiveJob::Base.queue_adapter = KafkaAdapter.new

class WelcomeJob < ActiveJob::Base
  queue_as "#{TOPIC}_to_us"
  queue_with_priority 3
end

class GreetJob < ActiveJob::Base
  def perform(name, on, rest)
    puts "#{name} on #{on.iso8601}: #{rest.inspect}, run #{executions}, priority #{priority.inspect}"
    WelcomeJob.perform_later(name, on.next_day, [1, nil, :back])
  end
end

WelcomeJob.perform_later("Ada", Date.new(2026, 11, 27), [1.5, nil, :vip])

output, error, status = Open3.capture3("kcat", "-C", "-b", BROKERS, "-t", TOPIC, "-o", "beginning", "-e", "-J", "-q")
raise "kcat: #{error}" unless status.success?
output.each_line do |line|
  record = JSON.parse(line)
  puts "key #{record["key"].inspect}, headers #{record["headers"].inspect}"
  ActiveJob::Base.execute(JSON.parse(record["payload"]))
end
