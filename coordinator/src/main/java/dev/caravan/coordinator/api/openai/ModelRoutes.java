package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.server.ServerBuilder;
import dev.caravan.coordinator.api.Replies;
import dev.caravan.coordinator.api.Routes;
import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.api.Serving;
import java.util.Objects;

/** GET /v1/models and /v1/models/{id}. */
public final class ModelRoutes implements Routes {
  private static final String ID = "id";

  private final Serving serving;

  public ModelRoutes(Serving serving) {
    this.serving = serving;
  }

  @Override
  public void addTo(ServerBuilder server) {
    server
        .route()
        .get("/v1/models")
        .build((_, _) -> {
          ObjectNode list = JsonNodeFactory.instance.objectNode().put("object", "list");
          list.putArray("data").add(json(serving.loaded().model()));
          return Replies.ok(list).toHttpResponse();
        });
    // Ids may have slashes: all that follows is the id.
    server
        .route()
        .get("/v1/models/{*" + ID + "}")
        .build((context, _) -> {
          ServedModel model = serving.loaded().model();
          String wanted = Objects.requireNonNullElse(context.pathParam(ID), "");
          if (!wanted.equals(model.id())) {
            throw GenerationFields.unknownModel(wanted, model);
          }
          return Replies.ok(json(model)).toHttpResponse();
        });
  }

  private static ObjectNode json(ServedModel model) {
    return JsonNodeFactory.instance
        .objectNode()
        .put(ID, model.id())
        .put("object", "model")
        .put("created", model.createdSeconds())
        .put("owned_by", "caravan")
        .put("max_model_len", model.contextLength());
  }
}
