package dev.caravan.coordinator.page;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.caravan.coordinator.metrics.Monitor;
import dev.caravan.coordinator.metrics.ServedCluster;
import dev.caravan.coordinator.metrics.TokenRate;
import dev.caravan.coordinator.metrics.WorkerLoad;
import dev.caravan.coordinator.page.ClusterSnapshot.EngineView;
import dev.caravan.coordinator.page.ClusterSnapshot.Model;
import dev.caravan.coordinator.page.ClusterSnapshot.ShardView;
import dev.caravan.coordinator.page.ClusterSnapshot.TimesView;
import dev.caravan.coordinator.page.ClusterSnapshot.WorkerView;
import dev.caravan.coordinator.rpc.Cluster.WorkerMemory;
import java.util.ArrayList;
import java.util.List;

/** Looks at a serving cluster and draws it as JSON. Immutable. */
final class ClusterView {
  private static final ObjectMapper JSON =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  private final Monitor monitor;

  ClusterView(Monitor monitor) {
    this.monitor = monitor;
  }

  /** Returns a {@link ClusterSnapshot} of now as one line of JSON. */
  String json() {
    try {
      return JSON.writeValueAsString(snapshot());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a cluster snapshot is no JSON", e);
    }
  }

  private ClusterSnapshot snapshot() {
    ServedCluster cluster = monitor.cluster();
    WorkerLoad.Spent spent = monitor.counts().load().spent();
    TokenRate rate = monitor.counts().rate();
    List<WorkerView> workers = new ArrayList<>();
    List<WorkerMemory> holders = cluster.workers();
    for (int i = 0; i < holders.size(); i++) {
      WorkerMemory worker = holders.get(i);
      workers.add(
          new WorkerView(
              worker.member().id(),
              worker.member().address(),
              cluster.up().test(worker.member()),
              ShardView.of(cluster.plan().shards().get(i)),
              worker.weightBytes(),
              worker.kvBytes(),
              TimesView.of(spent.recent().get(i))));
    }
    return new ClusterSnapshot(
        Model.of(cluster.model(), cluster.chat(), cluster.contextLength(), cluster.config()),
        cluster.plan().stages(),
        cluster.plan().ranks(),
        EngineView.of(monitor.engine().status()),
        rate.perSecond(),
        rate.history(),
        spent.recentSteps(),
        workers);
  }
}
