/* A Vulkan driver that forwards to another one, and lets one call of it fail.
 *
 *   IGN_FAULT_DRIVER  library of the real driver
 *   IGN_FAULT_CALL    function that fails, such as vkCreateBuffer
 *   IGN_FAULT_AT      the call that fails, counted from 1
 *   IGN_FAULT_RESULT  VkResult that it returns: -2 out of device memory, -4 device lost
 *   IGN_FAULT_COUNTS  file for the number of calls of every function, written at the end of the process
 *
 * Every function here takes at most six integers or pointers and returns a VkResult. Such functions share one calling
 * convention on 64-bit systems, so Vulkan's headers are not needed. */

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS(X) \
  X(vkAllocateCommandBuffers) X(vkAllocateDescriptorSets) X(vkAllocateMemory) X(vkBeginCommandBuffer) \
  X(vkBindBufferMemory) X(vkCreateBuffer) X(vkCreateCommandPool) X(vkCreateComputePipelines) \
  X(vkCreateDescriptorPool) X(vkCreateDescriptorSetLayout) X(vkCreateDevice) X(vkCreateFence) \
  X(vkCreatePipelineLayout) X(vkCreateQueryPool) X(vkCreateSemaphore) X(vkCreateShaderModule) \
  X(vkEndCommandBuffer) X(vkGetFenceStatus) X(vkGetSemaphoreCounterValue) X(vkMapMemory) X(vkQueueSubmit) \
  X(vkWaitForFences) X(vkWaitSemaphores)

typedef uintptr_t word;
typedef int32_t (*function)(word, word, word, word, word, word);
typedef void (*any)(void);
typedef any (*lookup)(word, const char *);

enum {
#define INDEX(name) index_##name,
  CALLS(INDEX) count
};

static struct { const char *name; function real; atomic_int calls; } table[] = {
#define ROW(name) {#name, 0, 0},
  CALLS(ROW)
};

static int32_t call(int index, word a, word b, word c, word d, word e, word f) {
  int number = atomic_fetch_add(&table[index].calls, 1) + 1;
  const char *wanted = getenv("IGN_FAULT_CALL");
  if (wanted && !strcmp(wanted, table[index].name) && number == atoi(getenv("IGN_FAULT_AT")))
    return atoi(getenv("IGN_FAULT_RESULT"));
  return table[index].real(a, b, c, d, e, f);
}

#define FORWARD(name) \
  static int32_t own_##name(word a, word b, word c, word d, word e, word f) { \
    return call(index_##name, a, b, c, d, e, f); \
  }
CALLS(FORWARD)

static const any own[] = {
#define OWN(name) (any)own_##name,
  CALLS(OWN)
};

/* The function of this file in place of `real`, where there is one. An extension that became a part of Vulkan has the
 * same functions with the suffix KHR. */
static any replaced(const char *name, any real) {
  size_t length = strlen(name);
  if (length > 3 && !strcmp(name + length - 3, "KHR")) length -= 3;
  for (int i = 0; real && i < count; i++) {
    if (strlen(table[i].name) == length && !strncmp(table[i].name, name, length)) {
      table[i].real = (function)real;
      return own[i];
    }
  }
  return real;
}

static void *symbol(const char *name) {
  static void *driver;
  if (!driver) driver = dlopen(getenv("IGN_FAULT_DRIVER"), RTLD_NOW | RTLD_LOCAL);
  if (!driver) {
    fprintf(stderr, "%s\n", dlerror());
    abort();
  }
  return dlsym(driver, name);
}

static lookup device_functions;

static any vkGetDeviceProcAddr(word device, const char *name) {
  return replaced(name, device_functions(device, name));
}

any vk_icdGetInstanceProcAddr(word instance, const char *name) {
  any real = ((lookup)symbol("vk_icdGetInstanceProcAddr"))(instance, name);
  if (!strcmp(name, "vkGetInstanceProcAddr")) return (any)vk_icdGetInstanceProcAddr;
  if (strcmp(name, "vkGetDeviceProcAddr")) return replaced(name, real);
  device_functions = (lookup)real;
  return (any)vkGetDeviceProcAddr;
}

any vk_icdGetPhysicalDeviceProcAddr(word instance, const char *name) {
  lookup real = (lookup)symbol("vk_icdGetPhysicalDeviceProcAddr");
  return real ? replaced(name, real(instance, name)) : 0;
}

int32_t vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  return ((int32_t (*)(uint32_t *))symbol("vk_icdNegotiateLoaderICDInterfaceVersion"))(version);
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("IGN_FAULT_COUNTS");
  FILE *file = path ? fopen(path, "w") : 0;
  for (int i = 0; file && i < count; i++) fprintf(file, "%s %d\n", table[i].name, atomic_load(&table[i].calls));
  if (file) fclose(file);
}
