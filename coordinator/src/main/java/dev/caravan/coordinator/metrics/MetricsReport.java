package dev.caravan.coordinator.metrics;

import dev.caravan.coordinator.generate.EngineStatus;
import dev.caravan.coordinator.metrics.MetricsText.Kind;
import dev.caravan.coordinator.rpc.Cluster.WorkerMemory;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * Writes one scrape: vLLM's names where the meaning is the same, our own for what only a cluster
 * has. Confined to one thread.
 */
final class MetricsReport {
  private static final double NANOS = 1e-9;

  private final Monitor monitor;
  private final Labels model;
  private final List<WorkerMemory> holders;
  private final List<Labels> workers;
  private final MetricsText text = new MetricsText();

  MetricsReport(Monitor monitor) {
    this.monitor = monitor;
    this.model = Labels.NONE.and("model_name", monitor.cluster().model());
    this.holders = monitor.cluster().workers();
    this.workers = labels();
  }

  String text() {
    engine(monitor.engine().status());
    requests(monitor.counts());
    workers();
    ProcessGauges.write(text);
    return text.toString();
  }

  private void engine(EngineStatus status) {
    gauge("vllm:num_requests_running", "Requests in the current batch.", status.running());
    gauge("vllm:num_requests_waiting", "Requests in the queue.", status.waiting());
    double usage =
        status.kvBlocksTotal() == 0 ? 0 : (double) status.kvBlocksUsed() / status.kvBlocksTotal();
    text.family("vllm:kv_cache_usage_perc", Kind.GAUGE, "Share of KV blocks in use; 1 means all.")
        .sample(model, usage);
    counter(
        "vllm:num_preemptions_total",
        "Requests that gave their KV blocks back and were computed again.",
        status.preemptions());
    counter(
        "vllm:prefix_cache_queries_total",
        "Prompt tokens that were looked up in the prefix cache.",
        status.prefixQueriedTokens());
    counter(
        "vllm:prefix_cache_hits_total",
        "Prompt tokens that were found in the prefix cache.",
        status.prefixHitTokens());
    counter("vllm:prompt_tokens_total", "Prompt tokens computed.", status.promptTokens());
    counter("vllm:generation_tokens_total", "Tokens generated.", status.generatedTokens());
    counter(
        "caravan_recoveries_total",
        "Times that the cluster came back after a failure.",
        status.recoveries());
  }

  private void requests(EngineCounts counts) {
    text.family("vllm:request_success_total", Kind.COUNTER, "Requests that ended, by reason.");
    counts
        .ends()
        .forEach((finish, count) ->
            text.sample(
                model.and("finished_reason", finish.name().toLowerCase(Locale.ROOT)), count));
    EngineCounts.Histograms histograms = counts.histograms();
    histogram(
        "time_to_first_token_seconds", "From arrival to first token.", histograms.firstToken());
    histogram("inter_token_latency_seconds", "Between two tokens.", histograms.interToken());
    histogram(
        "request_time_per_output_token_seconds",
        "Mean time between the tokens of a request.",
        histograms.perOutputToken());
    histogram("e2e_request_latency_seconds", "From arrival to end.", histograms.endToEnd());
    histogram("request_queue_time_seconds", "Spent in the queue.", histograms.queued());
    histogram("request_prompt_tokens", "Prompt tokens of a request.", histograms.promptTokens());
    histogram(
        "request_generation_tokens",
        "Generated tokens of a request.",
        histograms.generationTokens());
    histogram("iteration_tokens_total", "Tokens computed by a step.", histograms.stepTokens());
  }

  private void workers() {
    WorkerLoad.Spent spent = monitor.counts().load().spent();
    perWorker("caravan_worker_up", "1 while the worker is a member of the cluster.", this::up);
    seconds("compute", "Spent on a step outside collectives.", spent, WorkerTimes::computeNanos);
    seconds("allreduce", "Spent on a step in collectives.", spent, WorkerTimes::syncNanos);
    seconds("wait", "Of that, waiting for other workers.", spent, WorkerTimes::waitNanos);
    text.family("caravan_sync_bytes_total", Kind.COUNTER, "Sent to other workers.");
    for (int i = 0; i < workers.size(); i++) {
      text.sample(workers.get(i), spent.totals().get(i).syncBytes());
    }
    perWorker(
        "caravan_resident_bytes",
        "Memory of packed weights and KV cache.",
        worker -> worker.weightBytes() + worker.kvBytes());
  }

  private long up(WorkerMemory worker) {
    return monitor.cluster().up().test(worker.member()) ? 1 : 0;
  }

  private void perWorker(String name, String help, ToLongFunction<WorkerMemory> value) {
    text.family(name, Kind.GAUGE, help);
    for (int i = 0; i < workers.size(); i++) {
      text.sample(workers.get(i), value.applyAsLong(holders.get(i)));
    }
  }

  /** A summary: its sum is the time, its count the number of steps. */
  private void seconds(
      String what, String help, WorkerLoad.Spent spent, ToDoubleFunction<WorkerTimes> nanos) {
    text.family("caravan_" + what + "_seconds", Kind.SUMMARY, help);
    for (int i = 0; i < workers.size(); i++) {
      double sum = nanos.applyAsDouble(spent.totals().get(i)) * NANOS;
      text.summary(workers.get(i), sum, spent.steps());
    }
  }

  private List<Labels> labels() {
    List<Labels> labels = new ArrayList<>();
    for (int i = 0; i < holders.size(); i++) {
      Shard shard = monitor.cluster().plan().shards().get(i);
      labels.add(
          model
              .and("worker", holders.get(i).member().id())
              .and("stage", Integer.toString(shard.stage()))
              .and("rank", Integer.toString(shard.rank())));
    }
    return labels;
  }

  private void gauge(String name, String help, long value) {
    text.family(name, Kind.GAUGE, help).sample(model, value);
  }

  private void counter(String name, String help, long value) {
    text.family(name, Kind.COUNTER, help).sample(model, value);
  }

  private void histogram(String name, String help, Histogram histogram) {
    text.family("vllm:" + name, Kind.HISTOGRAM, help).histogram(model, histogram.counts());
  }
}
