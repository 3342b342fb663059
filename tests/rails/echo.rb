# A Rails application without Rails: Active Job and what it needs. It reads a line of JSON at a time.
#
#   {"envelope": "…"}   reads the arguments of a job, and prints how Ruby shows them and how it writes them again
#   {"ruby": "…"}       evaluates a list of arguments, and prints the envelope of a job with them
require "active_job"
require "active_support/all"
require "globalid"
require "json"

Time.zone = "Europe/Prague"
GlobalID.app = "shop"
ActiveJob::Base.logger = nil

Person = Struct.new(:id) do
  include GlobalID::Identification
  def self.find(id)
    raise "no person #{id}" if id == "0"
    new(id)
  end
end

Money = Struct.new(:cents, :currency)

class MoneySerializer < ActiveJob::Serializers::ObjectSerializer
  def serialize(money) = super("cents" => money.cents, "currency" => money.currency)
  def deserialize(hash) = Money.new(hash["cents"], hash["currency"])
  def klass = Money
end

module JavaScript
  class SetSerializer < ActiveJob::Serializers::ObjectSerializer
    def serialize(set) = super("values" => ActiveJob::Arguments.serialize(set.to_a))
    def deserialize(hash) = Set.new(ActiveJob::Arguments.deserialize(hash["values"]))
    def klass = Set
  end
end

ActiveJob::Serializers.add_serializers MoneySerializer, JavaScript::SetSerializer

class EchoJob < ActiveJob::Base
  def perform(*args, **options)
    [args, options]
  end
end

def read(envelope)
  job = EchoJob.deserialize(JSON.parse(envelope))
  job.send(:deserialize_arguments_if_needed)
  written = EchoJob.new
  written.arguments = job.arguments
  performed = job.perform(*job.arguments)
  { shown: job.arguments.map(&:inspect), keywords: performed[1].inspect, envelope: ActiveSupport::JSON.encode(written.serialize) }
end

$stdout.sync = true
while (line = $stdin.gets)
  request = JSON.parse(line)
  response =
    begin
      if request["envelope"]
        read(request["envelope"])
      else
        job = EchoJob.new(*eval(request["ruby"])) # rubocop:disable Security/Eval
        { envelope: ActiveSupport::JSON.encode(job.serialize) }
      end
    rescue StandardError => error
      { error: "#{error.class}: #{error.message}" }
    end
  puts JSON.generate(response)
end
