package org.espalier.node.service;

import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;
import java.util.List;

/**
 * Lets requests that are no message of their method come as far as {@link RequestSize}, as null: gRPC would end their calls without a reason, and
 * log the stack trace of each.
 */
final class UnreadableRequests {

    private UnreadableRequests() {}

    static ServerServiceDefinition passedOn(BindableService bindable) {
        ServerServiceDefinition service = bindable.bindService();
        List<? extends ServerMethodDefinition<?, ?>> methods =
                service.getMethods().stream().map(UnreadableRequests::tolerant).toList();
        ServiceDescriptor.Builder descriptor = ServiceDescriptor.newBuilder(
                        service.getServiceDescriptor().getName())
                .setSchemaDescriptor(service.getServiceDescriptor().getSchemaDescriptor());
        methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
        ServerServiceDefinition.Builder definition = ServerServiceDefinition.builder(descriptor.build());
        methods.forEach(definition::addMethod);
        return definition.build();
    }

    private static <Q, A> ServerMethodDefinition<Q, A> tolerant(ServerMethodDefinition<Q, A> method) {
        MethodDescriptor<Q, A> descriptor = method.getMethodDescriptor();
        return ServerMethodDefinition.create(
                descriptor.toBuilder()
                        .setRequestMarshaller(new Tolerant<>(descriptor.getRequestMarshaller()))
                        .build(),
                method.getServerCallHandler());
    }

    private record Tolerant<Q>(MethodDescriptor.Marshaller<Q> strict) implements MethodDescriptor.Marshaller<Q> {

        @Override
        public InputStream stream(Q value) {
            return strict.stream(value);
        }

        @Override
        public Q parse(InputStream bytes) {
            try {
                return strict.parse(bytes);
            } catch (StatusRuntimeException unreadable) {
                return null;
            }
        }
    }
}
