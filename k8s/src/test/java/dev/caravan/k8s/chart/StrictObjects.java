package dev.caravan.k8s.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Parses objects of Kubernetes into fabric8's models, or into {@link CustomObjects} where it has
 * none, and finds fields that the models do not know: the API server would drop them silently.
 */
final class StrictObjects {
  private static final Map<String, Class<?>> TYPES =
      Map.of(
          "v1 Service", Service.class,
          "v1 ConfigMap", ConfigMap.class,
          "apps/v1 StatefulSet", StatefulSet.class,
          "policy/v1 PodDisruptionBudget", PodDisruptionBudget.class,
          "networking.k8s.io/v1 NetworkPolicy", NetworkPolicy.class,
          "networking.k8s.io/v1 Ingress", Ingress.class,
          "gateway.networking.k8s.io/v1 HTTPRoute", HTTPRoute.class,
          "leaderworkerset.x-k8s.io/v1 LeaderWorkerSet", CustomObjects.LeaderWorkerSet.class,
          "monitoring.coreos.com/v1 ServiceMonitor", CustomObjects.ServiceMonitor.class,
          "keda.sh/v1alpha1 ScaledObject", CustomObjects.ScaledObject.class);

  private static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private StrictObjects() {}

  /** Parses an object; fails with the places of fields that its kind does not have. */
  static Object parse(JsonNode object) {
    String type = object.at("/apiVersion").asText() + " " + object.at("/kind").asText();
    assertThat(TYPES).as("kinds that are known").containsKey(type);
    try {
      Object parsed = MAPPER.treeToValue(object, TYPES.get(type));
      List<String> unknown = new ArrayList<>();
      walk(parsed, type, unknown);
      assertThat(unknown).as("unknown fields of %s", object.at("/metadata/name")).isEmpty();
      return parsed;
    } catch (JsonProcessingException e) {
      throw new AssertionError("%s: %s".formatted(type, e.getMessage()), e);
    }
  }

  private static void walk(Object value, String path, List<String> unknown) {
    switch (value) {
      case Collection<?> values -> values.forEach(each -> walk(each, path + "[]", unknown));
      case Map<?, ?> map -> map.forEach((key, each) -> walk(each, path + "." + key, unknown));
      default -> {
        if (isModel(value.getClass())) {
          walkModel(value, path, unknown);
        }
      }
    }
  }

  private static boolean isModel(Class<?> type) {
    return type.getName().startsWith("io.fabric8.") || type.isRecord();
  }

  private static void walkModel(Object model, String path, List<String> unknown) {
    for (Method method : model.getClass().getMethods()) {
      if (method.getParameterCount() != 0 || !isProperty(method)) {
        continue;
      }
      Object value = call(model, method);
      if (method.getName().equals("getAdditionalProperties")) {
        ((Map<?, ?>) value).keySet().forEach(key -> unknown.add(path + "." + key));
      } else if (value != null) {
        walk(value, path + "." + method.getName(), unknown);
      }
    }
  }

  private static boolean isProperty(Method method) {
    Class<?> owner = method.getDeclaringClass();
    return owner.isRecord()
        ? Arrays.stream(owner.getRecordComponents()).anyMatch(c -> c.getAccessor().equals(method))
        : owner.getName().startsWith("io.fabric8.") && method.getName().startsWith("get");
  }

  private static Object call(Object model, Method method) {
    try {
      method.setAccessible(true);
      return method.invoke(model);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(method.toString(), e);
    }
  }
}
