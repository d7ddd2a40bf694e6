package org.espalier.kernel.jshell;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.ConstantDynamic;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodTooLargeException;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Rewrites a class of a cell, or of a jar that a cell added: calls and method references that would end the process are refused
 * ({@link RefusedExit}), and every method and every turn of a loop asks whether the cell was stopped ({@link StopCheck}). Nothing that is
 * inserted changes the stack, so a class keeps its frames. What is looked up by reflection is not seen.
 */
final class GuardedClass {

    private static final Logger LOG = LoggerFactory.getLogger(GuardedClass.class);

    private static final String REFUSED = RefusedExit.class.getName().replace('.', '/');
    private static final String STOP = StopCheck.class.getName().replace('.', '/');

    /** Owner, name and descriptor of a method that ends the process, and the descriptor of its static stand-in. */
    private static final Map<String, String> EXITS = Map.of(
            "java/lang/System.exit(I)V", "(I)V",
            "java/lang/Runtime.exit(I)V", "(Ljava/lang/Runtime;I)V",
            "java/lang/Runtime.halt(I)V", "(Ljava/lang/Runtime;I)V");

    private GuardedClass() {}

    /** @return the bytes of the rewritten class */
    static byte[] of(byte[] classFile) {
        try {
            return rewritten(classFile, true);
        } catch (MethodTooLargeException e) { // by the questions; a call and its stand-in have one size
            return rewritten(classFile, false);
        } catch (
                IllegalArgumentException
                        e) { // a class file of a JDK that is newer than the library: it must not keep cells from
            // running
            LOG.warn("a class is not guarded: {}", e.getMessage());
            return classFile;
        }
    }

    private static byte[] rewritten(byte[] classFile, boolean asking) {
        ClassReader reader = new ClassReader(classFile);
        ClassWriter writer = new ClassWriter(reader, 0);
        reader.accept(
                new ClassVisitor(Opcodes.ASM9, writer) {
                    @Override
                    public MethodVisitor visitMethod(
                            int access, String name, String descriptor, String signature, String[] exceptions) {
                        return new Body(super.visitMethod(access, name, descriptor, signature, exceptions), asking);
                    }
                },
                0);
        return writer.toByteArray();
    }

    private static String standIn(String owner, String name, String descriptor) {
        return EXITS.get(owner + "." + name + descriptor);
    }

    private static final class Body extends MethodVisitor {

        private final Set<Label> passed = new HashSet<>();

        private final boolean asking;

        Body(MethodVisitor next, boolean asking) {
            super(Opcodes.ASM9, next);
            this.asking = asking;
        }

        @Override
        public void visitCode() {
            super.visitCode();
            ask();
        }

        @Override
        public void visitLabel(Label label) {
            passed.add(label);
            super.visitLabel(label);
        }

        @Override
        public void visitJumpInsn(int opcode, Label target) {
            if (passed.contains(target)) {
                ask();
            }
            super.visitJumpInsn(opcode, target);
        }

        private void ask() {
            if (asking) {
                super.visitMethodInsn(Opcodes.INVOKESTATIC, STOP, "ask", "()V", false);
            }
        }

        @Override
        public void visitMethodInsn(int opcode, String owner, String name, String descriptor, boolean ofInterface) {
            String standIn = standIn(owner, name, descriptor);
            if (standIn == null) {
                super.visitMethodInsn(opcode, owner, name, descriptor, ofInterface);
            } else {
                super.visitMethodInsn(Opcodes.INVOKESTATIC, REFUSED, name, standIn, false);
            }
        }

        @Override
        public void visitInvokeDynamicInsn(String name, String descriptor, Handle bootstrap, Object... arguments) {
            super.visitInvokeDynamicInsn(name, descriptor, bootstrap, guarded(arguments));
        }

        @Override
        public void visitLdcInsn(Object value) {
            super.visitLdcInsn(guarded(value));
        }

        private static Object[] guarded(Object[] constants) {
            Object[] all = new Object[constants.length];
            for (int i = 0; i < all.length; i++) {
                all[i] = guarded(constants[i]);
            }
            return all;
        }

        private static Object guarded(Object constant) {
            if (constant instanceof Handle handle) {
                String standIn = standIn(handle.getOwner(), handle.getName(), handle.getDesc());
                return standIn == null
                        ? handle
                        : new Handle(Opcodes.H_INVOKESTATIC, REFUSED, handle.getName(), standIn, false);
            }
            if (constant instanceof ConstantDynamic dynamic) {
                Object[] arguments = new Object[dynamic.getBootstrapMethodArgumentCount()];
                for (int i = 0; i < arguments.length; i++) {
                    arguments[i] = guarded(dynamic.getBootstrapMethodArgument(i));
                }
                return new ConstantDynamic(
                        dynamic.getName(), dynamic.getDescriptor(), dynamic.getBootstrapMethod(), arguments);
            }
            return constant;
        }
    }
}
