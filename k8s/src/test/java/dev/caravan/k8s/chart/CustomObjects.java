package dev.caravan.k8s.chart;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBehavior;
import java.util.List;
import java.util.Map;

/**
 * The fields that the chart uses of kinds that fabric8 has no model of, written down from the types
 * of LeaderWorkerSet (sigs.k8s.io/lws, v1), of the Prometheus operator (monitoring/v1) and of KEDA
 * (keda/v1alpha1). A field that is not here is an error; what Kubernetes itself defines inside them
 * (pod templates, claims) is parsed into fabric8's models.
 */
final class CustomObjects {
  private CustomObjects() {}

  record LeaderWorkerSet(
      @JsonProperty(required = true) String apiVersion,
      @JsonProperty(required = true) String kind,
      @JsonProperty(required = true) ObjectMeta metadata,
      @JsonProperty(required = true) Spec spec) {
    record Spec(
        Integer replicas,
        StartupPolicy startupPolicy,
        NetworkConfig networkConfig,
        RolloutStrategy rolloutStrategy,
        @JsonProperty(required = true) GroupTemplate leaderWorkerTemplate) {}

    record GroupTemplate(
        Integer size,
        RestartPolicy restartPolicy,
        PodTemplateSpec leaderTemplate,
        @JsonProperty(required = true) PodTemplateSpec workerTemplate,
        List<PersistentVolumeClaim> volumeClaimTemplates) {}

    record NetworkConfig(@JsonProperty(required = true) SubdomainPolicy subdomainPolicy) {}

    record RolloutStrategy(
        @JsonProperty(required = true) RolloutType type,
        RollingUpdate rollingUpdateConfiguration) {}

    record RollingUpdate(Integer partition, IntOrString maxUnavailable, IntOrString maxSurge) {}

    enum StartupPolicy {
      LeaderCreated,
      LeaderReady
    }

    enum RestartPolicy {
      Default,
      RecreateGroupOnPodRestart,
      RecreateGroupAfterStart,
      None
    }

    enum SubdomainPolicy {
      Shared,
      UniquePerReplica
    }

    enum RolloutType {
      RollingUpdate
    }
  }

  record ServiceMonitor(
      @JsonProperty(required = true) String apiVersion,
      @JsonProperty(required = true) String kind,
      @JsonProperty(required = true) ObjectMeta metadata,
      @JsonProperty(required = true) Spec spec) {
    record Spec(
        @JsonProperty(required = true) List<Endpoint> endpoints,
        @JsonProperty(required = true) LabelSelector selector) {}

    record Endpoint(String port, String path, String interval) {}
  }

  record ScaledObject(
      @JsonProperty(required = true) String apiVersion,
      @JsonProperty(required = true) String kind,
      @JsonProperty(required = true) ObjectMeta metadata,
      @JsonProperty(required = true) Spec spec) {
    record Spec(
        @JsonProperty(required = true) ScaleTarget scaleTargetRef,
        Integer minReplicaCount,
        Integer maxReplicaCount,
        Advanced advanced,
        @JsonProperty(required = true) List<Trigger> triggers) {}

    record ScaleTarget(
        String apiVersion, String kind, @JsonProperty(required = true) String name) {}

    record Advanced(AutoscalerConfig horizontalPodAutoscalerConfig) {}

    record AutoscalerConfig(HorizontalPodAutoscalerBehavior behavior, String name) {}

    /** All metadata are strings: a number would be refused. */
    record Trigger(
        @JsonProperty(required = true) String type,
        @JsonProperty(required = true) Map<String, String> metadata) {}
  }
}
